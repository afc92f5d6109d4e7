"""The log as a table for the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from gateway.store.rows import Row

_UNKNOWN = "-"


def print_log(rows: Iterable[Row], console: Console) -> None:
    """Print rows as a table, times in UTC. All are held in memory, as columns take the width of their widest."""
    table = Table()
    for name in ("time", "decision", "policy", "served by"):
        table.add_column(name, overflow="fold")
    table.add_column("propensity", justify="right")
    table.add_column("status")
    for name in ("tokens in/out", "cost $", "ttft s", "latency s"):
        table.add_column(name, justify="right")
    table.add_column("feedback")
    for row in rows:
        # As Text, so that a name in square brackets is no markup.
        table.add_row(*(Text(cell) for cell in _cells(row)))
    console.print(table)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{datetime.fromisoformat(row['at']):%Y-%m-%d %H:%M:%S}",
        row["decision_id"],
        row["policy"],
        row["served_by"] or _UNKNOWN,
        _number(row["propensity"], ".3f"),
        _status(row),
        f"{_number(row['prompt_tokens'], 'd')}/{_number(row['completion_tokens'], 'd')}",
        _cost(row["cost_usd"]),
        _number(row["ttft_s"], ".3f"),
        _number(row["latency_s"], ".3f"),
        ", ".join(f"{feedback['kind']} {feedback['value']:g}" for feedback in row["feedback"]),
    )


def _number(value: float | None, form: str) -> str:
    return _UNKNOWN if value is None else format(value, form)


def _status(row: Row) -> str:
    return " ".join(filter(None, (_number(row["status"], "d"), row["error"])))


def _cost(usd: str | None) -> str:
    return _UNKNOWN if usd is None else usd.rstrip("0").rstrip(".") or "0"
