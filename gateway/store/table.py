"""The log as a table for the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from gateway.store.row import FeedbackRow, Row

_UNKNOWN = "-"
COLUMNS = (
    "time",
    "decision",
    "policy",
    "served by",
    "propensity",
    "status",
    "tokens in/out",
    "cost $",
    "ttft s",
    "latency s",
    "feedback",
)
#: Columns that a console narrower than this does without.
WIDE = 150
_WIDE_ONLY = frozenset({"decision", "ttft s"})
_NUMBERS = frozenset({"propensity", "tokens in/out", "cost $", "ttft s", "latency s"})


def print_log(rows: Iterable[Row], console: Console) -> None:
    """Print rows as a table, times in UTC. All are held in memory, as columns take the width of their widest.

    A console narrower than `WIDE` is spared the decision's id and the time to the first token.
    """
    cells = [_cells(row) for row in rows]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    names = [name for name in COLUMNS if console.width >= WIDE or name not in _WIDE_ONLY]
    for name in names:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", no_wrap=True)
    for row in cells:
        # As Text, so that a name in square brackets is no markup.
        table.add_row(*(Text(row[name]) for name in names))
    console.print(table)


def _cells(row: Row) -> dict[str, str]:
    """Return a row's texts by column."""
    return {
        "time": f"{datetime.fromisoformat(row['at']):%m-%d %H:%M:%S}",
        "decision": row["decision_id"],
        "policy": row["policy"],
        "served by": _served(row),
        "propensity": _number(row["propensity"], ".3f"),
        "status": _status(row),
        "tokens in/out": f"{_number(row['prompt_tokens'], 'd')}/{_number(row['completion_tokens'], 'd')}",
        "cost $": _cost(row["cost_usd"]),
        "ttft s": _number(row["ttft_s"], ".3f"),
        "latency s": _number(row["latency_s"], ".3f"),
        "feedback": ", ".join(_opinion(feedback) for feedback in row["feedback"]),
    }


def _served(row: Row) -> str:
    """Return who answered, and how many calls were made where it was not one."""
    answered = row["served_by"] or _UNKNOWN
    made = len(row["calls"]) + (row["answer"] is not None)
    return f"{answered} ({made} calls)" if row["calls"] else answered


def _opinion(feedback: FeedbackRow) -> str:
    words = [feedback["kind"], feedback["name"], None if feedback["value"] is None else f"{feedback['value']:g}"]
    return " ".join(word for word in words if word is not None)


def _number(value: float | None, form: str) -> str:
    return _UNKNOWN if value is None else format(value, form)


def _status(row: Row) -> str:
    return " ".join(filter(None, (_number(row["status"], "d"), row["error"])))


def _cost(usd: str | None) -> str:
    return _UNKNOWN if usd is None else usd.rstrip("0").rstrip(".") or "0"
