"""A labelled text, and the files that texts are read from."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

csv.field_size_limit(10**7)


@dataclass(frozen=True, slots=True)
class Text:
    """A labelled text: `benign`, `jailbreak` or `harmful`, and the source that it is from."""

    text: str
    label: str
    source: str


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return list(csv.DictReader(file))


def lines_of(path: Path) -> list[Any]:
    """Return the values of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
