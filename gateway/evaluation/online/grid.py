"""A replay as bandits as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table as Grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Entry = Mapping[str, Any]


def grids(document: Entry) -> Iterator[Grid]:
    """Yield a table for each outcome table, with the routers that earned most first."""
    for table in document["tables"]:
        yield _grid(table, [one for one in document["routers"] if one["table"] == table["name"]])


def _grid(table: Entry, entries: list[Entry]) -> Grid:
    title = f"{table['name']}: {table['n_stream']} prompts as a stream, {table['n_kept']} kept for the final policy"
    grid = Grid(title=escape(title))
    changes = [", ".join(one["changes"]) for one in entries[0]["changes"]] if entries else []
    names = ("learns by", "net", "beyond best fixed", "final beyond best", "told everything", "share")
    for name in ("", *names, *(f"back after {change}" for change in changes)):
        grid.add_column(escape(name), justify="right" if name else "left")
    for entry in sorted(entries, key=lambda one: -float(one["net"]["mean"])):
        grid.add_row(f"[bold]{escape(entry['router'])}[/]", *_cells(entry))
    return grid


def _cells(entry: Entry) -> list[str]:
    final = entry["final"]
    return [
        entry["learns_by"],
        f"{entry['net']['mean']:.4f}",
        told(entry["beyond_best"]),
        told(final["beyond_best"]),
        f"{final['full_information']:+.4f}",
        "-" if final["share"] is None else f"{final['share']:.0%}",
        *(back(one) for one in entry["changes"]),
    ]


def told(value: Entry) -> str:
    """Return a mean with its interval, where there is one."""
    if value["interval"] is None:
        return f"{value['mean']:+.4f}"
    low, high = value["interval"]
    return f"{value['mean']:+.4f} [{low:.4f}, {high:.4f}]"


def back(change: Entry) -> str:
    """Return after how many requests a router was back where it was."""
    if change["recovered_rows"] is None:
        return "not back"
    return f"{change['recovered_rows']} ({change['recovered_share']:.0%} of the stream)"
