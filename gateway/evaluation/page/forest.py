"""The forest plot: differences from references, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.evaluation.page.markup import Markup, join, named, tag
from gateway.evaluation.page.numbers import signed, span
from gateway.evaluation.page.scores import MAIN, chip, compared
from gateway.evaluation.page.verdict import called

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Entry = Mapping[str, Any]

#: Room left of the smallest and right of the largest number, as a share of the width.
MARGIN = 0.04


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps differences to percents of a width."""

    low: float
    high: float

    def place(self, value: float) -> str:
        """Return where a value lies."""
        inner = (value - self.low) / (self.high - self.low)
        return f"{100 * (MARGIN + (1 - 2 * MARGIN) * inner):.2f}%"


def forests(routers: Sequence[Entry], references: Sequence[Entry]) -> Markup:
    """Return the plot against the references that matter most, and one that is folded away against the others."""
    against = compared(routers)
    if not against:
        return tag("p", "No differences were estimated.", class_="quiet")
    main, others = [name for name in against if name in MAIN], [name for name in against if name not in MAIN]
    folded = tag("details", tag("summary", "Against other references"), _forest(routers, references, others))
    return join([_forest(routers, references, main), *([folded] if others else [])])


def _forest(routers: Sequence[Entry], references: Sequence[Entry], against: Sequence[str]) -> Markup:
    """Return a block of rows for each reference: a router, its difference in AIQ, the interval, the verdict."""
    scale = _scale([one for router in routers for one in _differences(router) if one["reference"] in against])
    groups = [_group(name, routers, references, scale) for name in against]
    head = tag(
        "tr",
        *(tag("th", text, scope="col") for text in ("Router", "Worse ← difference in AIQ → better", "Difference", "")),
    )
    return tag("table", tag("thead", head), *groups, class_="forest")


def _differences(router: Entry) -> list[Entry]:
    return [one for one in router["differences"] or () if one["metric"] == "aiq" and one["difference"] is not None]


def _scale(differences: Sequence[Entry]) -> Scale:
    numbers = [0.0]
    for difference in differences:
        ends = difference["interval"] or ()
        numbers += [difference["difference"], *(end for end in ends if end is not None)]
    low, high = min(numbers), max(numbers)
    return Scale(low, high) if low < high else Scale(-1.0, 1.0)


def _group(name: str, routers: Sequence[Entry], references: Sequence[Entry], scale: Scale) -> Markup:
    title = tag("th", "against ", called(name, references), colspan=4, scope="colgroup")
    rows = [
        _row(router["router"], one, scale)
        for router in routers
        for one in _differences(router)
        if one["reference"] == name
    ]
    return tag("tbody", tag("tr", title, class_="group"), *rows)


def _row(name: str, one: Entry, scale: Scale) -> Markup:
    numbers = join([signed(one["difference"]), " ", tag("small", span(one["interval"]))])
    return tag(
        "tr",
        tag("th", named(name), scope="row"),
        tag("td", _bar(one, scale), class_="bar"),
        tag("td", numbers),
        tag("td", chip(one["verdict"], one["difference"], one["interval"])),
    )


def _bar(one: Entry, scale: Scale) -> Markup:
    zero = scale.place(0)
    parts = [tag("line", x1=zero, x2=zero, y1="0", y2="100%", class_="zero")]
    interval = one["interval"]
    if interval is not None and None not in interval:
        ends = {"x1": scale.place(interval[0]), "x2": scale.place(interval[1])}
        parts.append(tag("line", y1="50%", y2="50%", class_="whisker", **ends))
    parts.append(tag("circle", cx=scale.place(one["difference"]), cy="50%", r="4.5"))
    return tag("svg", *parts, aria_hidden="true", class_=one["verdict"].replace(" ", "-"))
