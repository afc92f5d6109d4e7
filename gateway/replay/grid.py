"""A replay as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

    Entry = Mapping[str, Any]

#: How many flows and models the terminal is shown.
MOST_LINES: Final = 8
COLOURS: Final = {"met": "green", "broken": "red", "open": "yellow", "no evidence": "yellow"}
SAID: Final = {
    "met": "met",
    "broken": "not met",
    "open": "not shown: the interval holds both",
    "no evidence": "no evidence",
}


def grids(document: Entry) -> Iterator[RenderableType]:
    """Yield the parts of a replay."""
    requests = document["requests"]
    yield Text(f"{requests['logged']} requests, {requests['told']} of them replayed, {requests['rated']} rated")
    for lacking, n in requests["untold"].items():
        yield Text(f"cannot tell {n}: the log lacks {lacking}", "yellow")
    if requests["refused_by_policy"]:
        yield Text(f"{requests['refused_by_policy']} are refused by the policy", "yellow")
    if document["answers"]:
        yield _answers(document)
    yield from _refused(document["answers"])
    yield from _traffic(document)
    yield from _exploration(document)
    for warning in document["warnings"]:
        yield Text(f"warning: {warning}", "yellow")
    yield from _requirement(document["requirement"])


def number(told: Entry | None, *, share: bool = False) -> str:
    """Return a value with its interval; `share`: in percent, with a sign."""
    if told is None or told["value"] is None:
        return "unknown"
    form = "+.1%" if share else ".4g"
    if told["interval"] is None:
        return format(told["value"], form)
    low, high = told["interval"]
    return f"{told['value']:{form}} [{low:{form}}, {high:{form}}]"


def _answers(document: Entry) -> Table:
    method, before = document["settings"]["method"], document["baseline"]
    names = ("", before, "policy", "change", "effective", "observed")
    table = _table(names, title=f"estimated by {method}, 95 % intervals")
    for name, one in document["answers"].items():
        if one["estimates"] is None:
            cells = [number(one["ran"]) if before == "ran" else "-", "no estimate", "-"]
        else:
            made = one["estimates"][method]
            change = made["relative"] if made["relative"]["value"] is not None else made["difference"]
            cells = [number(made["baseline"]), number(made["policy"]), number(change, share=True)]
        table.add_row(*map(Text, (name, *cells, f"{one['effective']:.0f}", str(one["observed"]))))
    return table


def _refused(answers: Entry) -> Iterator[Text]:
    """Yield each reason once, with what it is about."""
    about: dict[str, list[str]] = {}
    for name, one in answers.items():
        for reason in one["refused"]:
            about.setdefault(reason, []).append(name)
    for reason, names in about.items():
        yield Text(f"no estimate of {', '.join(names)}: {reason}", "red")


def _traffic(document: Entry) -> Iterator[RenderableType]:
    if not document["models"]:
        return
    table = _table(("model", "share before", "share", "never logged", "rated", "effective"))
    for one in document["models"][:MOST_LINES]:
        shares = (f"{one[key]:.1%}" for key in ("share_before", "share", "unsupported"))
        table.add_row(*map(Text, (one["model"], *shares, str(one["rated"]), f"{one['effective']:.0f}")))
    yield table
    for flow in document["flows"][:MOST_LINES]:
        yield Text(f"{flow['share']:.1%} of the traffic goes from {flow['from']} to {flow['to']}")


def _exploration(document: Entry) -> Iterator[RenderableType]:
    """Yield what would have to be tried, where quality is refused."""
    quality = document["answers"].get("quality")
    found = document["exploration"]
    if quality is None or not quality["refused"] or not found["floors"]:
        return
    yield Text(f"To know the quality within {100 * found['half_width']:g} points, so many rated requests are needed:")
    for one in found["floors"]:
        yield Text(f"  {one['rated_requests']:,} with a floor of {one['floor']:g} under every model's probability")


def _requirement(found: Entry | None) -> Iterator[RenderableType]:
    if found is None:
        return
    for one in found["clauses"]:
        by = f" ({number(one['judged_by'])})" if one["judged_by"] else ""
        why = f": {'; '.join(one['reasons'])}" if one["reasons"] else ""
        yield Text(f"required {one['clause']}: {SAID[one['status']]}{by}{why}", COLOURS[one["status"]])


def _table(columns: tuple[str, ...], title: str | None = None) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for column, name in enumerate(columns):
        table.add_column(Text(name), justify="right" if column else "left")
    return table
