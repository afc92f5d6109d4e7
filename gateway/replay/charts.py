"""Drawings of a replay, as SVG within the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.evaluation.page.drawing import BELOW, HEIGHT, LEFT, WIDTH, Axis, drawing, frame
from gateway.evaluation.page.markup import Markup, tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Entry = Mapping[str, Any]


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
    parts = [*frame(across, up), *(_spot(spot, number, across, up) for number, spot in enumerate(spots))]
    words = tag("text", "USD of 1,000 requests", x=(LEFT + WIDTH) // 2, y=HEIGHT - 6, text_anchor="middle")
    return drawing("Quality against cost", *parts, words)


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
    return drawing("How the weights are spread", *parts, words)


def share_bar(share: float) -> Markup:
    """Return a bar as long as a share."""
    bar = tag("rect", x=0, y=2, width=f"{100 * min(max(share, 0.0), 1.0):.2f}%", height=10, class_="bar")
    return tag("svg", bar, class_="shares", aria_hidden="true")


def _numbers(told: Entry) -> list[float]:
    return [told["value"], *(told["interval"] or ())]


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
