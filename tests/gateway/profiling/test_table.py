import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.profiling.journal import Asked, Result
from gateway.profiling.probes import PROBE, fold_of
from gateway.profiling.table import TableError, read_table, write_table

PROBES = tuple(
    PROBE.validate_python(
        {"prompt_id": f"p{n}", "task": "t", "prompt": f"Prompt {n}", "grader": {"kind": "number", "value": n}}
    )
    for n in range(3)
)
RESULTS = [
    Result("a", "p0", 1.0, Asked("0", None, 7, 2, 0.5, 0.1)),
    Result("a", "p1", 0.25, Asked("1", None, None, None, None, 0.1)),
    Result("a", "p2", None, Asked(None, "timeout", None, None, 0.5, 9.0)),
    Result("b|c", "p1", 0.0, Asked("x", None, 7, 3, 0.0, 0.1)),
]
COLUMNS = {
    "prompt_id": ["1", "2"],
    "task": ["t", "u"],
    "prompt": ["one", "two"],
    "score|m": [0.0, 1.0],
    "cost|m": [0.1, 0.2],
    "fold": ["train", "dev"],
}


def save(path, **changes):
    """Write a table with some columns replaced, or left out where None."""
    columns = {name: values for name, values in (COLUMNS | changes).items() if values is not None}
    pq.write_table(pa.table(columns), path)
    return path


def test_reads_what_it_wrote(tmp_path):
    """Scores, costs, tokens and folds survive; what is not known is NaN."""
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


def test_columns_have_the_usual_order_and_types(tmp_path):
    """Prompts, scores, costs, fold; tokens are further columns."""
    write_table(tmp_path / "t.parquet", PROBES, RESULTS, ["a", "b|c"])

    schema = pq.read_schema(tmp_path / "t.parquet")

    assert schema.names == [
        *("prompt_id", "task", "prompt", "score|a", "score|b|c", "cost|a", "cost|b|c", "fold"),
        *("prompt_tokens|a", "prompt_tokens|b|c", "completion_tokens|a", "completion_tokens|b|c"),
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
    path = save(tmp_path / "t.parquet")

    write_table(path, PROBES, RESULTS, ["a"])

    assert read_table(path).models == ("a",)
    assert list(tmp_path.iterdir()) == [path]


def test_reads_tables_of_others(tmp_path):
    """One model is enough; tokens may be absent, numbers of any type, and folds dictionary-encoded."""
    path = save(
        tmp_path / "t.parquet",
        **{
            "score|m": pa.array([1, None], pa.int64()),
            "cost|m": pa.array([0.5, None], pa.float64()),
            "fold": pa.array(["dev", "dev"]).dictionary_encode(),
        },
    )

    table = read_table(path)

    np.testing.assert_array_equal(table.scores, np.array([[1], [math.nan]], np.float32))
    np.testing.assert_array_equal(table.costs_usd, np.array([[0.5], [math.nan]], np.float32))
    assert (table.completion_tokens.shape, table.scores.dtype, table.folds) == ((2, 1), np.float32, ("dev", "dev"))
    assert np.isnan(table.completion_tokens).all()
    assert np.isnan(table.prompt_tokens).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"score|m": None}, "no column 'score|MODEL'"),
        ({"cost|m": None}, "no column 'cost|m'"),
        ({"prompt": None}, "no column 'prompt'"),
        ({"fold": None}, "no column 'fold'"),
        ({"score|m": [math.nan, math.nan]}, "column 'score|m': holds no score"),
        ({"score|m": [0.5, 1.5]}, "column 'score|m': has scores outside [0, 1]"),
        ({"score|m": [-0.5, 1.0]}, "column 'score|m': has scores outside [0, 1]"),
        ({"score|m": ["good", "bad"]}, "column 'score|m': not numbers"),
        ({"cost|m": [-0.1, 0.2]}, "column 'cost|m': has negative or infinite costs"),
        ({"cost|m": [math.inf, 0.2]}, "column 'cost|m': has negative or infinite costs"),
        ({"fold": ["train", "test"]}, "column 'fold': unknown value 'test'"),
        ({"task": ["t", None]}, "column 'task': holds something else than strings"),
        ({name: [] for name in COLUMNS}, "column 'score|m': 0 rows"),
    ],
)
def test_names_the_file_and_the_column_that_is_wrong(tmp_path, changes, message):
    """Every complaint says where and what, and how to put it right."""
    path = save(tmp_path / "t.parquet", **changes)

    with pytest.raises(TableError) as caught:
        read_table(path)

    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_refuses_what_is_not_parquet(tmp_path):
    """A missing file, a folder without tables and another format are named."""
    (tmp_path / "t.csv").write_text("prompt_id,task\n1,2\n")

    for path in (tmp_path / "t.csv", tmp_path / "missing.parquet"):
        with pytest.raises(TableError, match=r"not a Parquet file that can be read .* give another path"):
            read_table(path)
