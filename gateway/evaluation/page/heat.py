"""The heat table: how routers do on tasks that they were not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.evaluation.page.markup import Markup, named, table, tag
from gateway.evaluation.page.numbers import UNKNOWN, count, dollars, fixed, signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Entry = Mapping[str, Any]

#: Points of quality from which on a cell is coloured more strongly.
STEPS = (1.0, 3.0, 6.0, 10.0)


def heat(entries: Sequence[Entry]) -> Markup:
    """Return a row for each router and a column for each task; a cell has the points over the best single model."""
    tasks = list(dict.fromkeys(entry["task"] for entry in entries))
    routers = list(dict.fromkeys(entry["router"] for entry in entries))
    cells = {(entry["router"], entry["task"]): entry for entry in entries}
    heads = [tag("th", named(task), scope="col") for task in tasks]
    head = tag("tr", tag("th", "Router", scope="col"), tag("th", "Worst", scope="col"), *heads)
    rows = []
    for router in routers:
        own = [cells.get((router, task)) for task in tasks]
        gaps = [one["gap_points"] for one in own if one is not None and one["gap_points"] is not None]
        worst = _cell(signed(min(gaps, default=None), 1), min(gaps, default=None), None)
        rows.append(tag("tr", tag("th", named(router), scope="row"), worst, *(_task(one) for one in own)))
    return table(head, rows, label="Routers on tasks that they were not shown", class_="heat sortable")


def level(gap: float | None) -> str:
    """Return the class of a cell's colour: `above-1` to `above-4`, `below-1` to `below-4`, or `even`."""
    steps = 0 if gap is None else sum(abs(gap) >= step for step in STEPS)
    if gap is None or not steps:
        return "even"
    return f"{'above' if gap > 0 else 'below'}-{steps}"


def _task(entry: Entry | None) -> Markup:
    if entry is None:
        return tag("td", UNKNOWN)
    single = f"best single model {fixed(entry['best_single_accuracy'])} at {dollars(entry['best_single_cost_usd'])}"
    error = entry.get("gap_error_points")
    doubt = "" if error is None else f"standard error {fixed(error, 1)} points; "
    own = f"{fixed(entry['accuracy'])} at {dollars(entry['cost_usd'])}"
    title = f"{own} for 1,000 prompts; {single}; {doubt}{count(entry['n'])} prompts"
    return _cell(signed(entry["gap_points"], 1), entry["gap_points"], title)


def _cell(text: str, gap: float | None, title: str | None) -> Markup:
    return tag("td", text, class_=level(gap), title=title, data_value=gap)
