"""Regret as it grows: a line for each router, with the band of its seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.evaluation.page.drawing import BELOW, HEIGHT, LEFT, WIDTH, Axis, drawing, frame
from gateway.evaluation.page.markup import Markup, join, named, tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Entry = Mapping[str, Any]

#: Colours that the style of reports has.
COLOURS: Final = 8


def courses(label: str, entries: Sequence[Entry], against: str) -> Markup:
    """Return the regret of routers against `best_fixed` or `full_information`, in rewards, request by request.

    All entries must be of one table: their streams have the same length and change at the same requests.
    """
    curves = [entry["regret"][against] for entry in entries]
    across = Axis(0, max(curve["rows"][-1] for curve in curves), LEFT, WIDTH - 20)
    ends = [end for curve in curves for name in ("low", "high") for end in curve[name]]
    up = Axis.over([0.0, *ends], HEIGHT - BELOW, 12)
    zero = tag("line", x1=across.start, x2=across.end, y1=up.place(0), y2=up.place(0), class_="zero")
    changes = [_change(across.place(change["row"]), up) for change in entries[0]["changes"]]
    lines = [_course(curve, number, across, up) for number, curve in enumerate(curves)]
    words = tag("text", "requests", x=(LEFT + WIDTH) // 2, y=HEIGHT - 6, text_anchor="middle")
    return drawing(label, *frame(across, up), zero, *changes, *lines, words)


def key(entries: Sequence[Entry]) -> Markup:
    """Return which colour is whose."""
    return tag("ul", *(_name(entry["router"], number) for number, entry in enumerate(entries)), class_="key")


def _name(router: str, number: int) -> Markup:
    stroke = tag("line", x1=0, x2="100%", y1="50%", y2="50%")
    swatch = tag("svg", stroke, class_=_colour(number), aria_hidden="true")
    return tag("li", join([swatch, named(router)]))


def _course(curve: Entry, number: int, across: Axis, up: Axis) -> Markup:
    rows = curve["rows"]
    there = [f"{across.place(row)},{up.place(value)}" for row, value in zip(rows, curve["high"], strict=True)]
    back = [f"{across.place(row)},{up.place(value)}" for row, value in zip(rows, curve["low"], strict=True)]
    mean = [f"{across.place(row)},{up.place(value)}" for row, value in zip(rows, curve["mean"], strict=True)]
    band = tag("polygon", points=" ".join([*there, *reversed(back)]), class_="band")
    return tag("g", band, tag("polyline", points=" ".join(mean), class_="mean"), class_=f"course {_colour(number)}")


def _change(x: float, up: Axis) -> Markup:
    return tag("line", x1=x, x2=x, y1=up.end, y2=up.start, class_="change")


def _colour(number: int) -> str:
    return f"s{number % COLOURS}"
