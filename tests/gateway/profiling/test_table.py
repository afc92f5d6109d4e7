import math

import numpy as np
import pyarrow.parquet as pq
import pytest

from gateway.profiling.journal import Asked, Result
from gateway.profiling.probes import PROBE, fold_of
from gateway.profiling.table import write_table
from gateway.tables.read import read_table
from gateway.tables.table import TableError

PROBES = tuple(
    PROBE.validate_python(
        {"prompt_id": f"p{n}", "task": "t", "prompt": f"Prompt {n}", "grader": {"kind": "number", "value": n}}
    )
    for n in range(3)
)
RESULTS = [
    Result("a", "p0", 1.0, Asked("0", None, 7, 2, 0.5, 0.1)),
    Result("a", "p1", 0.25, Asked("1", None, None, None, None, 0.2)),
    Result("a", "p2", None, Asked(None, "timeout", None, None, 0.5, 9.0)),
    Result("b|c", "p1", 0.0, Asked("x", None, 7, 3, 0.0, 0.3)),
]


def test_reads_what_it_wrote(tmp_path):
    """Scores, costs, tokens, latencies and folds survive; what is not known is NaN."""
    nan = math.nan
    write_table(tmp_path / "t.parquet", PROBES, RESULTS, ["a", "b|c"])

    table = read_table(tmp_path / "t.parquet")

    assert (table.prompt_ids, table.tasks, table.models) == (("p0", "p1", "p2"), ("t", "t", "t"), ("a", "b|c"))
    assert table.prompts == ("Prompt 0", "Prompt 1", "Prompt 2")
    assert table.folds == tuple(fold_of(probe) for probe in PROBES)
    np.testing.assert_array_equal(table.scores, np.array([[1, nan], [0.25, 0], [nan, nan]], np.float32))
    np.testing.assert_array_equal(table.costs_usd, np.array([[0.5, nan], [nan, 0], [nan, nan]], np.float32))
    np.testing.assert_array_equal(table.prompt_tokens, np.array([[7, nan], [nan, 7], [nan, nan]], np.float32))
    np.testing.assert_array_equal(table.completion_tokens, np.array([[2, nan], [nan, 3], [nan, nan]], np.float32))
    np.testing.assert_array_equal(table.latencies_s, np.array([[0.1, nan], [0.2, 0.3], [nan, nan]], np.float32))


def test_columns_have_the_usual_order_and_types(tmp_path):
    """Prompts, scores, costs, fold; tokens and latencies are further columns."""
    write_table(tmp_path / "t.parquet", PROBES, RESULTS, ["a", "b|c"])

    schema = pq.read_schema(tmp_path / "t.parquet")

    assert schema.names == [
        *("prompt_id", "task", "prompt", "score|a", "score|b|c", "cost|a", "cost|b|c", "fold"),
        *("prompt_tokens|a", "prompt_tokens|b|c", "completion_tokens|a", "completion_tokens|b|c"),
        *("latency|a", "latency|b|c"),
    ]
    assert {str(schema.field(name).type) for name in ("prompt_id", "task", "prompt", "fold")} == {"large_string"}
    assert {str(field.type) for field in schema if "|" in field.name} == {"float"}


def test_a_model_that_answered_nothing_is_refused(tmp_path):
    """The message names the model, and no file is left."""
    with pytest.raises(TableError, match=r"column 'score\|idle': the model answered no probe"):
        write_table(tmp_path / "t.parquet", PROBES, RESULTS, ["a", "idle"])

    assert list(tmp_path.iterdir()) == []


def test_writing_replaces_the_whole_file_or_nothing(tmp_path):
    """A second run replaces the table, and leaves no other file behind."""
    path = tmp_path / "t.parquet"
    path.write_text("something else")

    write_table(path, PROBES, RESULTS, ["a", "b|c"])

    assert read_table(path).models == ("a", "b|c")
    assert list(tmp_path.iterdir()) == [path]
