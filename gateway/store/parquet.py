"""The log as a Parquet file with one stable, typed schema."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.store.base import StoreError
from gateway.store.money import SCALE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gateway.store.row import CallRow, Row

#: Rows in memory at a time, and in a row group.
PIECE = 2000

_TIME = pa.timestamp("us", tz="UTC")
_MONEY = pa.decimal128(19, SCALE)  # as many digits as the log's 64-bit integers of nano-dollars have
_ESTIMATE = pa.struct([("reward", pa.float64()), ("reward_std", pa.float64()), ("cost_usd", pa.float64())])
_ATTEMPT = pa.struct(
    [
        ("model", pa.string()),
        ("started", _TIME),
        ("latency_s", pa.float64()),
        ("status", pa.int64()),
        ("error", pa.string()),
        ("endpoint", pa.string()),
        ("then", pa.string()),
    ]
)
_CALL = pa.struct(
    [
        ("model", pa.string()),
        ("why", pa.string()),
        ("error", pa.string()),
        ("cost_usd", _MONEY),
        ("cost_source", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("latency_s", pa.float64()),
    ]
)
_FEEDBACK = pa.struct(
    [
        ("id", pa.string()),
        ("at", _TIME),
        ("kind", pa.string()),
        ("value", pa.float64()),
        ("model", pa.string()),
        ("other", pa.string()),
        ("source", pa.string()),
        ("comment", pa.string()),
        ("name", pa.string()),
        ("caller", pa.string()),
    ]
)

#: The columns of `Row`, typed. What is kept by model is a map, so that `propensities['small']` works in DuckDB
#: and the schema does not change with the pool. `features` and `trace`, of values of several types, are JSON text.
SCHEMA = pa.schema(
    [
        pa.field("at", _TIME, nullable=False),
        pa.field("decision_id", pa.string(), nullable=False),
        pa.field("request_id", pa.string(), nullable=False),
        pa.field("policy", pa.string(), nullable=False),
        pa.field("policy_digest", pa.string(), nullable=False),
        pa.field("requested_model", pa.string(), nullable=False),
        pa.field("stream", pa.bool_(), nullable=False),
        pa.field("chosen", pa.string(), nullable=False),
        pa.field("why", pa.string(), nullable=False),
        pa.field("propensity", pa.float64()),
        pa.field("propensities", pa.map_(pa.string(), pa.float64()), nullable=False),
        pa.field("estimates", pa.map_(pa.string(), _ESTIMATE), nullable=False),
        pa.field("features", pa.string(), nullable=False),
        pa.field("finished_at", _TIME),
        pa.field("served_by", pa.string()),
        pa.field("status", pa.int64()),
        pa.field("error", pa.string()),
        pa.field("finish_reason", pa.string()),
        pa.field("prompt_tokens", pa.int64()),
        pa.field("completion_tokens", pa.int64()),
        pa.field("cached_tokens", pa.int64()),
        pa.field("cache_write_tokens", pa.int64()),
        pa.field("reasoning_tokens", pa.int64()),
        pa.field("audio_prompt_tokens", pa.int64()),
        pa.field("audio_completion_tokens", pa.int64()),
        pa.field("cost_usd", _MONEY),
        pa.field("cost_source", pa.string()),
        pa.field("ttft_s", pa.float64()),
        pa.field("latency_s", pa.float64()),
        pa.field("attempts", pa.list_(_ATTEMPT), nullable=False),
        pa.field("calls", pa.list_(_CALL), nullable=False),
        pa.field("answer", _CALL),
        pa.field("plan_end", pa.string()),
        pa.field("feedback", pa.list_(_FEEDBACK), nullable=False),
        pa.field("embedding", pa.list_(pa.float32())),
        pa.field("text", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("tag", pa.string()),
        pa.field("trace", pa.string(), nullable=False),
        pa.field("caller", pa.string(), nullable=False),
    ]
)


def write_parquet(rows: Iterable[Row], path: Path) -> int:
    """Write rows to a Parquet file and return how many; the file appears whole, or not at all.

    Raises `StoreError` where it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        count = _write(rows, part)
        part.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}: name a file in a folder that may be written") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def _write(rows: Iterable[Row], path: Path) -> int:
    count = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for piece in _pieces(rows):
            writer.write_batch(pa.RecordBatch.from_pylist(piece, schema=SCHEMA))
            count += len(piece)
    return count


def _pieces(rows: Iterable[Row]) -> Iterator[list[dict[str, Any]]]:
    left = map(_typed, rows)
    while piece := list(islice(left, PIECE)):
        yield piece


def _typed(row: Row) -> dict[str, Any]:
    return {
        **row,
        "at": _time(row["at"]),
        "finished_at": _time(row["finished_at"]),
        "cost_usd": _money(row["cost_usd"]),
        "propensities": list(row["propensities"].items()),
        "estimates": list(row["estimates"].items()),
        "features": json.dumps(row["features"], ensure_ascii=False),
        "trace": json.dumps(row["trace"]),
        "attempts": [{**attempt, "started": _time(attempt["started"])} for attempt in row["attempts"]],
        "calls": [_call(call) for call in row["calls"]],
        "answer": None if row["answer"] is None else _call(row["answer"]),
        "feedback": [{**feedback, "at": _time(feedback["at"])} for feedback in row["feedback"]],
    }


def _call(call: CallRow) -> dict[str, Any]:
    return {**call, "cost_usd": _money(call["cost_usd"])}


def _money(usd: str | None) -> Decimal | None:
    return None if usd is None else Decimal(usd)


def _time(iso: str | None) -> datetime | None:
    return None if iso is None else datetime.fromisoformat(iso)
