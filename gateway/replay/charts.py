"""Drawings of a replay, as SVG within the page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.evaluation.page.markup import Markup, tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Entry = Mapping[str, Any]

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


@dataclass(frozen=True, slots=True)
class Spot:
    """A policy in the plane of cost and quality, each with its interval, and how it is called."""

    name: str
    cost: Entry
    quality: Entry


def plane(spots: Sequence[Spot]) -> Markup:
    """Return costs (to the right) against qualities (upwards), with their intervals."""
    across = Axis.over([1000 * n for spot in spots for n in _numbers(spot.cost)], LEFT, WIDTH - 20)
    up = Axis.over([n for spot in spots for n in _numbers(spot.quality)], HEIGHT - BELOW, 12)
    parts = [*_frame(across, up), *(_spot(spot, number, across, up) for number, spot in enumerate(spots))]
    words = tag("text", "USD of 1,000 requests", x=(LEFT + WIDTH) // 2, y=HEIGHT - 6, text_anchor="middle")
    return _drawing("Quality against cost", *parts, words)


def histogram(weights: Sequence[Entry]) -> Markup:
    """Return how many requests have which weight."""
    most = max((one["requests"] for one in weights), default=0) or 1
    width = (WIDTH - LEFT) / max(len(weights), 1)
    parts = []
    for number, one in enumerate(weights):
        height = (HEIGHT - BELOW - 24) * one["requests"] / most
        x, top = LEFT + number * width, HEIGHT - BELOW - height
        parts.append(
            tag(
                "rect",
                x=round(x + 3, 2),
                y=round(top, 2),
                width=round(width - 6, 2),
                height=round(height, 2),
                class_="bar",
            )
        )
        parts.append(
            tag("text", f"{one['requests']:,}", x=round(x + width / 2, 2), y=round(top - 5, 2), text_anchor="middle")
        )
        parts.append(tag("text", _class(one), x=round(x + width / 2, 2), y=HEIGHT - BELOW + 16, text_anchor="middle"))
    words = tag("text", "weight of a request", x=(LEFT + WIDTH) // 2, y=HEIGHT - 6, text_anchor="middle")
    return _drawing("How the weights are spread", *parts, words)


def share_bar(share: float) -> Markup:
    """Return a bar as long as a share."""
    bar = tag("rect", x=0, y=2, width=f"{100 * min(max(share, 0.0), 1.0):.2f}%", height=10, class_="bar")
    return tag("svg", bar, class_="shares", aria_hidden="true")


def _numbers(told: Entry) -> list[float]:
    return [told["value"], *(told["interval"] or ())]


def _frame(across: Axis, up: Axis) -> list[Markup]:
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


def _spot(spot: Spot, number: int, across: Axis, up: Axis) -> Markup:
    x, y = across.place(1000 * spot.cost["value"]), up.place(spot.quality["value"])
    parts = [tag("circle", cx=x, cy=y, r=5)]
    if spot.cost["interval"]:
        low, high = (across.place(1000 * end) for end in spot.cost["interval"])
        parts.append(tag("line", x1=low, x2=high, y1=y, y2=y))
    if spot.quality["interval"]:
        low, high = (up.place(end) for end in spot.quality["interval"])
        parts.append(tag("line", x1=x, x2=x, y1=low, y2=high))
    parts.append(tag("text", spot.name, x=x + 9, y=y - 8))
    return tag("g", *parts, class_=f"spot s{number}")


def _class(one: Entry) -> str:
    if one["to"] == 0:
        return "0"
    return f"> {one['above']:g}" if one["to"] is None else f"≤ {one['to']:g}"


def _drawing(label: str, *parts: Markup) -> Markup:
    return tag("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label, class_="drawing")
