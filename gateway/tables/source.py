"""The file behind an outcome table: its columns, a batch of rows at a time."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from gateway.tables.table import TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

#: Rows of a batch: what is held beside the arrays that are filled from it.
BATCH = 16_384
#: Bytes that a row of CSV or JSON may have: a block must hold a whole one.
BLOCK = 32 * 2**20
#: Columns of text, which CSV must not take for numbers, nor JSON for dates.
TEXTS = ("prompt_id", "task", "prompt", "fold", "paraphrase")


@dataclass(frozen=True, slots=True)
class Source:
    """A file's columns. `batches` yields some of them, in order, as Arrow record batches; `n` is how many rows."""

    path: Path
    schema: Any
    n: int
    batches: Callable[[Sequence[str]], Iterator[Any]]


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open `.csv`, `.jsonl` or `.ndjson` by their suffix, and any other file as Parquet.

    Raises `TableError` where the file cannot be read, also for what Arrow finds wrong inside the `with` block.
    """
    if path.is_dir():
        raise TableError(f"{path}: a folder; give the file of one table")
    kind, opened = FORMATS.get(path.suffix.lower(), ("Parquet", _parquet))
    try:
        with opened(path) as source:
            yield source
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: not a {kind} file that can be read ({error}); give another path") from error


@contextmanager
def _parquet(path: Path) -> Iterator[Source]:
    with pq.ParquetFile(path) as file:
        yield Source(
            path,
            file.schema_arrow,
            file.metadata.num_rows,
            # Arrow takes 'score|a' for 'score|a.b' as well, so that a batch may have more than was asked for.
            lambda columns: file.iter_batches(BATCH, columns=list(columns)),
        )


@contextmanager
def _csv(path: Path) -> Iterator[Source]:
    table = pa_csv.read_csv(
        path,
        read_options=pa_csv.ReadOptions(block_size=BLOCK),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(TEXTS, pa.large_string()),
            # Nothing between two commas is missing; '' in quotes is an empty text, and 'NA' a text like any other.
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    yield _of_table(path, table)


@contextmanager
def _json_lines(path: Path) -> Iterator[Source]:
    table = pa_json.read_json(
        path,
        read_options=pa_json.ReadOptions(block_size=BLOCK),
        parse_options=pa_json.ParseOptions(explicit_schema=pa.schema([(name, pa.large_string()) for name in TEXTS])),
    )
    # A column that the schema names and no line has comes as one of nulls.
    yield _of_table(path, table.drop_columns([name for name in TEXTS if table[name].null_count == len(table)]))


def _of_table(path: Path, table: Any) -> Source:
    return Source(
        path,
        table.schema,
        table.num_rows,
        lambda columns: iter(table.select(list(columns)).to_batches(max_chunksize=BATCH)),
    )


FORMATS = {".csv": ("CSV", _csv), ".jsonl": ("JSON lines", _json_lines), ".ndjson": ("JSON lines", _json_lines)}
