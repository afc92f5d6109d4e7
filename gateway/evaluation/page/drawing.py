"""What the drawings of reports have in common: axes, their rules and ticks, and the frame around them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.evaluation.page.markup import Markup, tag

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A drawing's size, and the room that is left for words at its left and lower edge.
WIDTH, HEIGHT, LEFT, BELOW = 640, 300, 70, 44
#: Room left beyond the outermost numbers, as a share of what lies between them.
MARGIN: Final = 0.12


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps numbers from `low` to `high` to pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, numbers: Sequence[float], start: float, end: float) -> Axis:
        """Return the axis that has room for all numbers."""
        low, high = min(numbers), max(numbers)
        room = (high - low) * MARGIN or abs(high) * MARGIN or 1.0
        return cls(low - room, high + room, start, end)

    def place(self, value: float) -> float:
        """Return the pixel of a number."""
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 2)

    def ticks(self, count: int = 4) -> list[float]:
        """Return round numbers within it, about so many."""
        rough = (self.high - self.low) / count
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
        first = math.ceil(self.low / step)
        return [n * step for n in range(first, math.floor(self.high / step) + 1)]


def frame(across: Axis, up: Axis) -> list[Markup]:
    """Return the rules and numbers of two axes."""
    parts = []
    for value in across.ticks():
        x = across.place(value)
        parts.append(tag("line", x1=x, x2=x, y1=up.end, y2=up.start, class_="rule"))
        parts.append(tag("text", f"{value:.4g}", x=x, y=up.start + 16, text_anchor="middle"))
    for value in up.ticks():
        y = up.place(value)
        parts.append(tag("line", x1=across.start, x2=across.end, y1=y, y2=y, class_="rule"))
        parts.append(tag("text", f"{value:.4g}", x=across.start - 8, y=y + 4, text_anchor="end"))
    return parts


def drawing(label: str, *parts: Markup) -> Markup:
    """Return parts as one picture, whose label is read out."""
    return tag("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label, class_="drawing")
