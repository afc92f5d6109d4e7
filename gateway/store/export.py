"""What `pointsman log` writes: rows, as lines of JSON, as a Parquet file or as a table.

Money is exact everywhere: a decimal as text in JSON, a decimal128 in Parquet; null where it is unknown.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gateway.store.parquet import write_parquet
from gateway.store.row import Row
from gateway.store.rows import rows
from gateway.store.table import print_log

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

__all__ = ["Row", "print_log", "rows", "write_jsonl", "write_parquet"]


def write_jsonl(rows: Iterable[Row], file: TextIO) -> int:
    """Write each row as a line of JSON, ASCII only, as it comes; return how many."""
    count = 0
    for row in rows:
        file.write(json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n")
        count += 1
    return count
