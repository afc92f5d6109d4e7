"""The table of routers and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.evaluation.page.markup import Markup, named, table, tag
from gateway.evaluation.page.metrics import METRICS, Metric
from gateway.evaluation.page.numbers import UNKNOWN, fixed, signed, span
from gateway.evaluation.page.verdict import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Entry = Mapping[str, Any]

#: The references that matter most; columns of others wait until they are asked for.
MAIN = ("best_single", "zero", "task_oracle")
SIGNS = {"better": "▲ ", "worse": "▼ ", "no difference": "≈ "}


def scores(routers: Sequence[Entry], references: Sequence[Entry]) -> Markup:
    """Return the table: routers first, then what they are held against, which sorting leaves below."""
    against = compared(routers)
    best = {metric.key: _best(metric, routers) for metric in METRICS}
    head = tag("tr", tag("th", "Router", scope="col"), *_heads(against, references))
    rows = [_row(entry, best, against) for entry in routers]
    others = [one for one in references if not one["router"].startswith("single:")]
    rows += [_row(entry, {}, against, class_="reference", label=short(entry["router"], references)) for entry in others]
    return table(head, rows, label="Routers and metrics", class_="scores sortable")


def compared(routers: Iterable[Entry]) -> list[str]:
    """Return the references that any router's AIQ was compared with, those that matter most first."""
    found = [one["reference"] for router in routers for one in router["differences"] or () if one["metric"] == "aiq"]
    return sorted(dict.fromkeys(found), key=lambda name: MAIN.index(name) if name in MAIN else len(MAIN))


def chip(verdict: str, difference: float | None, interval: Sequence[float | None] | None) -> Markup:
    """Return a verdict as a small label; its title has the numbers."""
    kind = verdict.replace(" ", "-")
    return tag("span", SIGNS[verdict] + verdict, class_=f"chip {kind}", title=f"{signed(difference)} {span(interval)}")


def _heads(against: Sequence[str], references: Sequence[Entry]) -> list[Markup]:
    core = [tag("th", metric.label, scope="col", title=metric.meaning) for metric in METRICS if metric.core]
    chips = [tag("th", "AIQ vs ", short(name, references), scope="col", class_=_class(name)) for name in against]
    more = [m for m in METRICS if not m.core]
    return [*core, *chips, *(tag("th", m.label, scope="col", title=m.meaning, class_="more") for m in more)]


def _row(
    entry: Entry,
    best: Mapping[str, float | None],
    against: Sequence[str],
    *,
    label: Markup | None = None,
    class_: str = "",
) -> Markup:
    intervals = entry["intervals"] or {}
    core = [_cell(metric, entry, best, intervals.get(metric.key)) for metric in METRICS if metric.core]
    more = [_cell(metric, entry, best, None) for metric in METRICS if not metric.core]
    found = {one["reference"]: one for one in entry["differences"] or () if one["metric"] == "aiq"}
    if class_:
        # A reference is not held against itself; a router may have its name.
        found.pop(entry["router"], None)
    chips = [_verdict_cell(found.get(name), _class(name)) for name in against]
    head = tag("th", label or named(entry["router"]), _seeds(entry), scope="row")
    return tag("tr", head, *core, *chips, *more, class_=class_ or None)


def _cell(
    metric: Metric, entry: Entry, best: Mapping[str, float | None], interval: Sequence[float | None] | None
) -> Markup:
    value = metric.value(entry)
    classes = [*(["best"] if value is not None and value == best.get(metric.key) else [])]
    classes += [] if metric.core else ["more"]
    note = tag("small", span(interval)) if span(interval) else Markup()
    return tag("td", metric.text(value), note, class_=" ".join(classes) or None, data_value=value)


def _class(reference: str) -> str:
    return "wide" if reference in MAIN else "wide more"


def _verdict_cell(difference: Entry | None, class_: str) -> Markup:
    if difference is None:
        return tag("td", UNKNOWN, class_=class_)
    inner = chip(difference["verdict"], difference["difference"], difference["interval"])
    note = tag("small", signed(difference["difference"]))
    return tag("td", inner, note, class_=class_, data_value=difference["difference"])


def _seeds(entry: Entry) -> Markup:
    found = [seed["aiq"] for seed in entry["seeds"] or () if seed["aiq"] is not None]
    if len(found) < 2:
        return Markup()
    return tag("small", f"{len(found)} seeds: {fixed(min(found))} to {fixed(max(found))}")


def _best(metric: Metric, routers: Iterable[Entry]) -> float | None:
    values = [value for router in routers if (value := metric.value(router)) is not None]
    return (max if metric.better == "high" else min)(values, default=None)
