from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.store.base import StoreError
from gateway.store.checks import NOON, SECOND, build_decision, build_feedback, build_outcome
from gateway.store.memory import MemoryStore
from gateway.store.parquet import PIECE, SCHEMA, write_parquet
from gateway.store.row import Row
from gateway.store.rows import rows
from gateway.store.samples import build_planned_outcome


def exported(path, *events):
    """Write events to a file and read it back."""
    store = MemoryStore()
    store.append(events)
    count = write_parquet(rows(store), path)
    table = pq.read_table(path)
    assert count == table.num_rows
    return table


def test_columns_are_those_of_a_row():
    """Each member of a row has a column."""
    assert set(Row.__annotations__) == set(SCHEMA.names)


def test_values_are_typed(tmp_path):
    """Times are instants, money is decimal, what is kept by model is a map."""
    table = exported(
        tmp_path / "log.parquet", build_decision(1), build_outcome(1), build_feedback("f", 1, kind="binary")
    )

    (row,) = table.to_pylist()
    assert row["at"] == NOON + SECOND
    assert row["finished_at"] == NOON + 3 * SECOND
    assert Decimal("0.000012340") == row["cost_usd"]
    assert row["propensities"] == [("small", 0.9), ("large", 0.1)]
    assert row["estimates"][1] == ("large", {"reward": 0.8, "reward_std": 0.2, "cost_usd": None})
    assert (
        row["features"] == '{"domain": "code", "prompt_tokens": 812.0, "multimodal": false, "pii": ["card", "email"]}'
    )
    assert [(attempt["model"], attempt["started"]) for attempt in row["attempts"]] == [
        ("small", NOON + SECOND),
        ("large", NOON + 2 * SECOND),
    ]
    assert [(feedback["kind"], feedback["value"]) for feedback in row["feedback"]] == [("binary", 1.0)]
    assert row["embedding"] == [1.0, 0.0]


def test_calls_of_a_plan_are_typed(tmp_path):
    """A list of them, and the answer's own; none where there was one call alone."""
    planned, alone = exported(
        tmp_path / "log.parquet", build_decision(1), build_planned_outcome(1), build_decision(2), build_outcome(2)
    ).to_pylist()

    assert [Decimal("0.00000034"), None] == [call["cost_usd"] for call in planned["calls"]]
    assert ("large", Decimal("0.000012"), "relayed") == (
        planned["answer"]["model"],
        planned["answer"]["cost_usd"],
        planned["plan_end"],
    )
    assert ([], None, None) == (alone["calls"], alone["answer"], alone["plan_end"])


@pytest.mark.parametrize("cost", ["9223372036.854775807", "0.000000001", "0"])
def test_money_is_exact(tmp_path, cost):
    """The largest and the smallest amounts that the log holds are written exactly."""
    table = exported(tmp_path / "log.parquet", build_decision(1), build_outcome(1, cost_usd=Decimal(cost)))

    assert [Decimal(cost)] == table["cost_usd"].to_pylist()
    assert pa.decimal128(19, 9) == table.schema.field("cost_usd").type


def test_unknown_is_null(tmp_path):
    """A request without an outcome has nulls, no zeros."""
    (row,) = exported(tmp_path / "log.parquet", build_decision(1, text=None, embedding=None)).to_pylist()

    unknown = ["cost_usd", "status", "finished_at", "prompt_tokens", "latency_s", "text", "embedding"]
    assert [None] * len(unknown) == [row[name] for name in unknown]


def test_schema_does_not_depend_on_the_rows(tmp_path):
    """An empty log and a full one have the same columns and types."""
    empty = exported(tmp_path / "empty.parquet")
    full = exported(tmp_path / "full.parquet", build_decision(1), build_outcome(1), build_feedback("f", 1))

    assert empty.schema == SCHEMA
    assert full.schema == SCHEMA


def test_writes_piece_by_piece(tmp_path):
    """A log of several pieces is written as several row groups, in order, without a gap."""
    numbers = range(PIECE + 1)
    table = exported(tmp_path / "log.parquet", *(build_decision(n) for n in numbers))

    assert [f"request-{n}" for n in numbers] == table["request_id"].to_pylist()
    assert pq.ParquetFile(tmp_path / "log.parquet").num_row_groups == 2


def test_failed_export_leaves_no_file(tmp_path):
    """Where reading the log fails half-way, the old file stays and nothing half-written is left."""
    path = tmp_path / "log.parquet"
    exported(path, build_decision(1))

    def failing():
        store = MemoryStore()
        store.append([build_decision(2)])
        yield from rows(store)
        raise StoreError("the disk failed")

    with pytest.raises(StoreError, match="the disk failed"):
        write_parquet(failing(), path)

    assert pq.read_table(path)["request_id"].to_pylist() == ["request-1"]
    assert [path] == list(tmp_path.iterdir())


def test_unwritable_file_is_named(tmp_path):
    """A folder that does not exist is an error that names the file and the remedy."""
    path = tmp_path / "missing" / "log.parquet"

    with pytest.raises(StoreError, match="folder that may be written") as error:
        write_parquet([], path)

    assert str(path) in str(error.value)
