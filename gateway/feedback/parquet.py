"""Parquet files of feedback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.feedback.files import FeedbackFileError, Line, given

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Rows in memory at a time.
PIECE: Final = 2000


def read_parquet(path: Path) -> Iterator[Line]:
    """Yield the rows of a file. Raises `FeedbackFileError` and `OSError`."""
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=PIECE):
                for row in batch.to_pylist():
                    number += 1
                    yield Line(f"{path}: row {number}", given(row))
    except pa.ArrowInvalid as error:
        raise FeedbackFileError(f"{path} is no Parquet file: {error}") from error
