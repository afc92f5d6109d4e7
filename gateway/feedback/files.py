"""Files of feedback, read row by row: CSV, JSON Lines or Parquet. They may be longer than memory."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

#: Characters of a CSV file's field at most: a comment has no more.
csv.field_size_limit(1 << 20)


class FeedbackFileError(Exception):
    """A file of feedback cannot be read, or holds what is none; a line for each thing that is wrong."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a file: where it stands, and its values by column; what is empty is left out."""

    place: str
    values: Mapping[str, Any]


def lines_of(path: Path) -> Iterator[Line]:
    """Yield the rows of a file, by its ending. Raises `FeedbackFileError`."""
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise FeedbackFileError(f"{path}: name a file that ends in {', '.join(READERS)}")
    try:
        yield from read(path)
    except OSError as error:
        raise FeedbackFileError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FeedbackFileError(f"{path}: byte {error.start} is no UTF-8: save the file as UTF-8") from error


def _csv(path: Path) -> Iterator[Line]:
    # A byte order mark, as spreadsheets write it, is no part of the first column's name.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            for row in reader:
                place = f"{path}:{reader.line_num}"
                if None in row:
                    raise FeedbackFileError(f"{place}: has more fields than the first line has columns")
                yield Line(place, given(row))
        except csv.Error as error:
            raise FeedbackFileError(f"{path}:{reader.reader.line_num}: {error}: write the file anew as CSV") from error


def _jsonl(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                row = json.loads(line)
            except ValueError as error:
                raise FeedbackFileError(f"{place}: is no JSON: {error}") from error
            if not isinstance(row, dict):
                raise FeedbackFileError(f"{place}: is no JSON object: write one for each piece of feedback")
            yield Line(place, given(row))


def _parquet(path: Path) -> Iterator[Line]:
    # Nothing else needs pyarrow.
    read: Callable[[Path], Iterator[Line]] = import_module("gateway.feedback.parquet").read_parquet
    return read(path)


def given(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without what is empty."""
    return {column: value for column, value in row.items() if value is not None and value != ""}


#: What reads a file, by its ending.
READERS: Final[dict[str, Callable[[Path], Iterator[Line]]]] = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
