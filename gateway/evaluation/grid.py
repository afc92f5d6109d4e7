"""The report as a table to read in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table as Grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Entry = Mapping[str, Any]

#: The references whose rows are shown, and those that AIQ is compared with.
SHOWN = ("best_single", "cheapest", "random", "zero", "task_oracle", "oracle")
COMPARED = ("best_single", "zero", "task_oracle")


def grids(document: Mapping[str, Any]) -> Iterator[Grid]:
    """Yield a table for each outcome table of a report, then those of pairs and of tasks left out."""
    for table in document["tables"]:
        yield _curves(table, document)
    if document["pairs"]:
        yield _pairs(document["pairs"])
    if document["leave_task_out_summary"]:
        yield _left_out(document["leave_task_out_summary"])


def compared(differences: Sequence[Entry], reference: str, metric: str = "aiq") -> str:
    """Return a difference with its interval, or that there is none."""
    for one in differences:
        if one["reference"] == reference and one["metric"] == metric:
            low, high = one["interval"]
            if one["verdict"] == "no difference":
                return "no difference"
            return f"{one['difference']:+.3f} [{low:.3f}, {high:.3f}]"
    return "-"


def _curves(table: Entry, document: Mapping[str, Any]) -> Grid:
    title = (
        f"{table['name']}: {table['n_test']} prompts of the fold {table['test_fold']!r}, {len(table['models'])} models"
    )
    grid = Grid(title=escape(title))
    for name in ("", "AIQ", "accuracy", "USD/1000", "cost to match", "arena", *(f"AIQ v {name}" for name in COMPARED)):
        grid.add_column(name, justify="right" if name else "left")
    for entry in _of(document["routers"], table):
        grid.add_row(f"[bold]{escape(entry['router'])}[/]", *_cells(entry))
    grid.add_section()
    for entry in _of(document["references"], table):
        if entry["router"] in SHOWN:
            grid.add_row(entry["router"], *_cells(entry))
    return grid


def _cells(entry: Entry) -> list[str]:
    numbers = [f"{entry['aiq']:.4f}", f"{entry['max_accuracy']:.4f}", f"{1000 * entry['cost_at_max_usd']:.4g}"]
    match = "never" if entry["match_cost_ratio"] is None else f"{entry['match_cost_ratio']:.3f}"
    return [*numbers, match, f"{entry['arena_score']:.3f}", *(compared(entry["differences"], r) for r in COMPARED)]


def _pairs(pairs: Sequence[Entry]) -> Grid:
    grid = Grid("table", "router", "APGR", "CPT(50%)", "CPT(80%)", title=escape(_pair(pairs[0])))
    for one in pairs:
        grid.add_row(
            escape(one["table"]), escape(one["router"]), *(_optional(one[k]) for k in ("apgr", "cpt50", "cpt80"))
        )
    return grid


def _left_out(summaries: Sequence[Entry]) -> Grid:
    columns = ("table", "router", "AIQ, tasks unseen", "mean gap, points", "worst gap", "worst task")
    grid = Grid(*columns, title="each task left out in turn, against the best single model")
    for one in summaries:
        gaps = (f"{one['mean_gap_points']:+.2f}", f"{one['worst_gap_points']:+.2f}")
        grid.add_row(escape(one["table"]), escape(one["router"]), f"{one['aiq']:.4f}", *gaps, escape(one["worst_task"]))
    return grid


def _of(entries: Sequence[Entry], table: Entry) -> list[Entry]:
    """Return a table's entries, the best first."""
    return sorted((one for one in entries if one["table"] == table["name"]), key=lambda one: -float(one["aiq"]))


def _pair(one: Entry) -> str:
    return f"strong {one['strong']}, weak {one['weak']}"


def _optional(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
