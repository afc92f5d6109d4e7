"""The tables of a replay's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.evaluation.page.forest import Scale
from gateway.evaluation.page.markup import Markup, join, named, table, tag
from gateway.evaluation.page.numbers import UNKNOWN, count
from gateway.replay.charts import share_bar
from gateway.replay.grid import SAID, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    Entry = Mapping[str, Any]

CHIPS: Final = {"met": "better", "broken": "worse", "open": "no-difference", "no evidence": "no-difference"}
UNITS: Final = {"quality": "", "cost": "USD a request", "latency": "seconds", "errors": "share of requests"}


def requirement(found: Entry) -> Markup:
    """Return how each clause stands."""
    rows = []
    for one in found["clauses"]:
        chip = tag("span", SAID[one["status"]], class_=f"chip {CHIPS[one['status']]}")
        by = number(one["judged_by"]) if one["judged_by"] else UNKNOWN
        rows.append(_row(tag("code", one["clause"]), chip, by, tag("td", "; ".join(one["reasons"]), class_="text")))
    return table(_head("Clause", "", "Interval", "Why not"), rows, label="Requirement", class_="wide")


def answers(document: Entry) -> Markup:
    """Return what is told of each quantity, or why nothing is."""
    if not document["answers"]:
        return tag("p", "No request can be told.")
    method = document["settings"]["method"]
    rows = []
    for name, one in document["answers"].items():
        title = join([name, tag("small", UNITS[name])])
        sizes = (f"{one['effective']:,.0f}", count(one["observed"]))
        if one["estimates"] is None:
            why = tag("td", "; ".join(one["refused"]), colspan=3, class_="text")
            rows.append(_row(title, why, *sizes))
        else:
            made = one["estimates"][method]
            told = (number(made["baseline"]), number(made["policy"]), number(made["relative"], share=True))
            rows.append(_row(title, *told, *sizes))
    before = "What ran" if document["baseline"] == "ran" else "Baseline"
    head = _head("", before, "Policy", "Change", "Effective requests", "Observed")
    return table(head, rows, label="Answers", class_="wide")


def estimates(document: Entry) -> Markup:
    """Return the relative change of each quantity by each estimator, drawn."""
    told = {
        name: {method: made["relative"] for method, made in one["estimates"].items()}
        for name, one in document["answers"].items()
        if one["estimates"] is not None
    }
    known = {name: methods for name, methods in told.items() if any(map(_numbers, methods.values()))}
    groups = [_group(name, methods) for name, methods in known.items()]
    head = _head("Estimator", "Less ← change → more", "")
    return tag("table", tag("thead", head), *groups, class_="forest")


def flows(document: Entry) -> Markup:
    """Return from which model to which the traffic goes."""
    rows = [
        _row(
            named(one["from"]),
            named(one["to"]),
            f"{one['share']:.1%}",
            tag("td", share_bar(one["share"]), class_="length"),
        )
        for one in document["flows"]
    ]
    return table(_head("From", "To", "Of the traffic", ""), rows, label="Flows", class_="wide")


def models(document: Entry) -> Markup:
    """Return each model's shares, and what the log has of it."""
    rows = [
        _row(
            named(one["model"]),
            *(f"{one[key]:.1%}" for key in ("share_before", "share", "unsupported")),
            count(one["requests"]),
            count(one["rated"]),
            f"{one['effective']:,.0f}",
        )
        for one in document["models"]
    ]
    head = _head("Model", "Share before", "Share", "Never given a chance", "Requests", "Rated", "Effective")
    return table(head, rows, label="Models", class_="wide")


def segments(document: Entry) -> Markup:
    """Return what is told of the requests that each rule decides."""
    method = document["settings"]["method"]
    rows = [
        _row(
            named("no rule" if one["rule"] is None else one["rule"]),
            count(one["requests"]),
            *(_change(one[name], method) for name in ("quality", "cost")),
            f"{one['quality']['effective']:,.0f}",
        )
        for one in document["segments"]
    ]
    return table(_head("Rule", "Requests", "Quality", "Cost", "Effective"), rows, label="Rules", class_="wide")


def exploration(document: Entry) -> Markup:
    """Return how many rated requests would be needed."""
    found = document["exploration"]
    width, a_day = 100 * found["half_width"], found["requests_a_day"]
    words = (
        f"The policy sends {document['moved']:.0%} of the traffic elsewhere than the log mostly did. With a floor "
        f"under every model's probability, so many rated requests give its quality within {width:g} points; there were "
        f"{a_day:,.0f} requests a day."
    )
    rows = [_row(f"{one['floor']:g}", count(one["rated_requests"])) for one in found["floors"]]
    return join([tag("p", words), table(_head("Floor", "Rated requests"), rows, label="Exploration")])


def _group(name: str, methods: Mapping[str, Entry]) -> Markup:
    numbers = [0.0, *(n for one in methods.values() for n in _numbers(one))]
    low, high = min(numbers), max(numbers)
    scale = Scale(low, high) if low < high else Scale(-1.0, 1.0)
    title = tag("tr", tag("th", name, colspan=3, scope="colgroup"), class_="group")
    rows = [
        _row(method, tag("td", _bar(one, scale), class_="bar"), number(one, share=True))
        for method, one in methods.items()
    ]
    return tag("tbody", title, *rows)


def _bar(one: Entry, scale: Scale) -> Markup:
    if one["value"] is None:
        return Markup()
    zero = scale.place(0)
    parts = [tag("line", x1=zero, x2=zero, y1="0", y2="100%", class_="zero")]
    if one["interval"] is not None:
        ends = {"x1": scale.place(one["interval"][0]), "x2": scale.place(one["interval"][1])}
        parts.append(tag("line", y1="50%", y2="50%", class_="whisker", **ends))
    parts.append(tag("circle", cx=scale.place(one["value"]), cy="50%", r="4.5"))
    sure = one["interval"] is not None and not one["interval"][0] <= 0 <= one["interval"][1]
    return tag("svg", *parts, aria_hidden="true", class_="sure" if sure else None)


def _numbers(one: Entry) -> list[float]:
    return [n for n in (one["value"], *(one["interval"] or ())) if n is not None]


def _change(one: Entry, method: str) -> str:
    if one["estimates"] is None:
        return "not enough data"
    return number(one["estimates"][method]["relative"], share=True)


def _row(first: str, *cells: str) -> Markup:
    """Return a row; a cell that is one already stays as it is."""
    rest = [cell if isinstance(cell, Markup) and cell.startswith("<td") else tag("td", cell) for cell in cells]
    return tag("tr", tag("th", first, scope="row"), *rest)


def _head(*texts: str) -> Markup:
    return tag("tr", *(tag("th", text, scope="col") for text in texts))
