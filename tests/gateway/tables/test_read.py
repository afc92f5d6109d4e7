import json
import math
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.tables.read import read_table
from gateway.tables.table import TableError

COLUMNS = {
    "prompt_id": ["1", "2"],
    "task": ["t", "u"],
    "prompt": ["one", "two"],
    "score|m": [0.0, 1.0],
    "score|n": [0.5, math.nan],
    "cost|m": [0.1, 0.2],
    "cost|n": [0.3, math.nan],
    "fold": ["train", "dev"],
}
NOT_UTF8 = pa.Array.from_buffers(
    pa.string(), 2, [None, pa.array([0, 1, 2], pa.int32()).buffers()[1], pa.py_buffer(b"x\xff")]
)


def save(path, **changes):
    """Write a table with some columns replaced or added, or left out where None."""
    columns = {name: values for name, values in (COLUMNS | changes).items() if values is not None}
    pq.write_table(pa.table(columns), path)
    return path


def refused(path) -> str:
    """Return why a table is refused, without the file that it names first."""
    with pytest.raises(TableError) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def test_reads_the_columns_there_are(tmp_path):
    """What nobody measured is NaN, None or empty; columns of other names are ignored."""
    path = save(tmp_path / "t.parquet", other=[b"\xff", None])

    table = read_table(path)

    assert (path, ("1", "2"), ("t", "u"), ("one", "two")) == (table.path, table.prompt_ids, table.tasks, table.prompts)
    assert (("m", "n"), ("train", "dev")) == (table.models, table.folds)
    np.testing.assert_array_equal(np.array([[0, 0.5], [1, math.nan]], np.float32), table.scores)
    np.testing.assert_array_equal(np.array([[0.1, 0.3], [0.2, math.nan]], np.float32), table.costs_usd)
    assert np.isnan(table.prompt_tokens).all()
    assert np.isnan(table.completion_tokens).all()
    assert (None, ()) == (table.latencies_s, table.paraphrases)


def test_reads_what_may_be_measured_besides(tmp_path):
    """A model may lack a column that another has."""
    path = save(
        tmp_path / "t.parquet",
        **{"prompt_tokens|n": [3, None], "completion_tokens|m": [7, 8], "latency|n": [0.5, None]},
        paraphrase=["eins", None],
    )

    table = read_table(path)

    np.testing.assert_array_equal([[math.nan, 3], [math.nan, math.nan]], table.prompt_tokens)
    np.testing.assert_array_equal([[7, math.nan], [8, math.nan]], table.completion_tokens)
    np.testing.assert_array_equal([[math.nan, 0.5], [math.nan, math.nan]], table.latencies_s)
    assert ("eins", None) == table.paraphrases


@pytest.mark.parametrize(
    "kind", [pa.float64(), pa.float32(), pa.float16(), pa.int64(), pa.uint8(), pa.bool_()], ids=str
)
def test_numbers_may_be_of_any_type(tmp_path, kind):
    """Right or wrong as a truth value, a whole number or a fraction; null is not known."""
    path = save(tmp_path / "t.parquet", **{"score|n": pa.array([1, None]).cast(kind)})

    scores = read_table(path).scores

    np.testing.assert_array_equal([1, math.nan], scores[:, 1])
    assert np.float32 == scores.dtype


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())], ids=str
)
def test_texts_may_be_of_any_type(tmp_path, kind):
    """Also dictionary-encoded; any name is a fold, and an empty prompt is a prompt."""
    path = save(
        tmp_path / "t.parquet", fold=pa.array(["test", "ood"]).cast(kind), prompt=pa.array(["", "x"]).cast(kind)
    )

    table = read_table(path)

    assert (("test", "ood"), ("", "x")) == (table.folds, table.prompts)


def test_a_models_name_may_begin_with_another_and_a_dot(tmp_path):
    """Parquet's own names of nested columns have dots, too."""
    path = save(tmp_path / "t.parquet", **{"score|m.5": [0.25, 0.75], "cost|m.5": [0.0, 0.0]})

    table = read_table(path)

    assert ("m", "n", "m.5") == table.models
    np.testing.assert_array_equal(np.array([[0, 0.5, 0.25], [1, math.nan, 0.75]], np.float32), table.scores)


def test_many_rows_keep_their_order(tmp_path):
    """The file is read in batches, whatever its row groups are."""
    n = 40_000
    ids = [str(row) for row in range(n)]
    scores = np.arange(n) / n
    fixed = {name: [COLUMNS[name][0]] * n for name in ("task", "cost|m", "cost|n", "fold")}
    columns = {"prompt_id": ids, "prompt": ids, "score|m": scores, "score|n": 1 - scores} | fixed
    pq.write_table(pa.table(columns), tmp_path / "t.parquet", row_group_size=15_001)

    table = read_table(tmp_path / "t.parquet")

    assert tuple(ids) == table.prompt_ids == table.prompts
    np.testing.assert_array_equal(np.stack([scores, 1 - scores], axis=1).astype(np.float32), table.scores)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"score|m": None, "score|n": None}, "no column 'score|MODEL'; write the table with `pointsman profile`"),
        ({"score|n": None}, "column 'score|m': the only model; routing needs two, profile more"),
        ({"score|": [0, 1]}, "column 'score|': no model's name follows; rename it, or leave it out"),
        ({"cost|n": None}, "no column 'cost|n'; add it"),
        ({"prompt_id": None}, "no column 'prompt_id'; add it"),
        ({"task": None}, "no column 'task'; add it"),
        ({"prompt": None}, "no column 'prompt'; add it"),
        ({"fold": None}, "no column 'fold'; add it"),
        ({"score|n": [math.nan, None]}, "column 'score|n': holds no score; leave the model out"),
        ({"score|n": pa.nulls(2)}, "column 'score|n': holds no score; leave the model out"),
        ({"score|n": [0.5, 1.5]}, "column 'score|n': has scores outside [0, 1]; rescale them"),
        ({"score|m": [-0.5, 1.0]}, "column 'score|m': has scores outside [0, 1]; rescale them"),
        ({"score|m": [math.inf, 1.0]}, "column 'score|m': has scores outside [0, 1]; rescale them"),
        ({"score|m": ["0", "1"]}, "column 'score|m': holds string, not numbers; convert it, NaN for unknown"),
        ({"latency|m": ["1s", "2s"]}, "column 'latency|m': holds string, not numbers; convert it, NaN for unknown"),
        ({"cost|m": [-0.1, 0.2]}, "column 'cost|m': has negative or infinite values"),
        ({"cost|m": [math.inf, 0.2]}, "column 'cost|m': has negative or infinite values"),
        ({"latency|m": [-1, 1]}, "column 'latency|m': has negative or infinite values"),
        ({"completion_tokens|n": [-1, 1]}, "column 'completion_tokens|n': has negative or infinite values"),
        ({"prompt_id": ["7", "7"]}, "column 'prompt_id': 2 rows are '7'; a prompt has one row"),
        ({"prompt_id": [1, 2]}, "column 'prompt_id': holds int64, not text; convert it"),
        ({"prompt": [b"one", b"two"]}, "column 'prompt': holds binary, not text; convert it"),
        ({"prompt": NOT_UTF8}, "column 'prompt': not UTF-8 in rows 0 to 1"),
        ({"prompt": [None, "two"]}, "column 'prompt': nothing in row 0; fill it, or leave the row out"),
        ({"task": ["t", None]}, "column 'task': nothing in row 1; fill it, or leave the row out"),
        ({"fold": pa.nulls(2)}, "column 'fold': nothing in row 0; fill it, or leave the row out"),
        ({"paraphrase": [1, 2]}, "column 'paraphrase': holds int64, not text; convert it"),
        ({name: pa.array([], pa.array(values).type) for name, values in COLUMNS.items()}, "column 'score|m': 0 rows"),
    ],
)
def test_names_the_file_and_the_column_that_is_wrong(tmp_path, changes, complaint):
    """Every complaint says where and what, and how to put it right."""
    assert refused(save(tmp_path / "t.parquet", **changes)).startswith(complaint)


def test_costs_that_nobody_knows_are_no_obstacle(tmp_path):
    """A router may go by today's prices: NaN is not zero."""
    table = read_table(save(tmp_path / "t.parquet", **{"cost|m": [math.nan, None]}))

    assert np.isnan(table.costs_usd[:, 0]).all()


def test_a_column_named_twice_is_refused(tmp_path):
    """Which of them would count?"""
    twice = pa.table(COLUMNS).append_column("score|m", pa.array([1, 1]))
    pq.write_table(twice, tmp_path / "t.parquet")

    assert "column 'score|m': there are 2; leave one" == refused(tmp_path / "t.parquet")


def test_a_file_that_is_no_table_is_refused(tmp_path):
    """A folder, nothing at all, another format, half a file."""
    whole = save(tmp_path / "t.parquet").read_bytes()
    (tmp_path / "half.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "damaged.parquet").write_bytes(whole[:4] + b"\xff" * 64 + whole[68:])
    (tmp_path / "text.parquet").write_text("prompt_id,task\n1,2\n")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "list.jsonl").write_text("[1]\n")

    assert "a folder; give the file of one table" == refused(tmp_path)
    for name in ("missing", "half", "damaged", "text"):
        assert refused(tmp_path / f"{name}.parquet").startswith("not a Parquet file that can be read (")
    assert refused(tmp_path / "empty.csv").startswith("not a CSV file that can be read (")
    assert refused(tmp_path / "list.jsonl").startswith("not a JSON lines file that can be read (")


def test_in_csv_an_empty_field_is_missing(tmp_path):
    """Digits in a text's column are text, and a line may break within quotes."""
    path = tmp_path / "t.csv"
    path.write_text(
        'prompt_id,task,prompt,fold,paraphrase,score|m,cost|m,score|n,cost|n\n1,NA,"a\n""b""",2,,1,0.5,,\n2,t,"",2,x,0,nan,0.5,1e-3\n'
    )

    table = read_table(path)

    assert (("1", "2"), ("NA", "t"), ('a\n"b"', ""), ("2", "2")) == (
        table.prompt_ids,
        table.tasks,
        table.prompts,
        table.folds,
    )
    assert (None, "x") == table.paraphrases
    np.testing.assert_array_equal(np.array([[1, math.nan], [0, 0.5]], np.float32), table.scores)
    np.testing.assert_array_equal(np.array([[0.5, math.nan], [math.nan, 1e-3]], np.float32), table.costs_usd)


def test_csv_that_is_not_utf8_or_lacks_a_field_is_refused(tmp_path):
    """As it is in Parquet."""
    head = b"prompt_id,task,prompt,fold,score|m,cost|m,score|n,cost|n\n"
    (tmp_path / "latin.csv").write_bytes(head + b"1,t,\xe4,f,1,1,1,1\n")
    (tmp_path / "short.csv").write_bytes(head + b"1,t,x,f,1,1,1\n")
    (tmp_path / "gap.csv").write_bytes(head + b"1,t,,f,1,1,1,1\n")

    assert "invalid UTF8 data" in refused(tmp_path / "latin.csv")
    assert "Expected 8 columns, got 7" in refused(tmp_path / "short.csv")
    assert refused(tmp_path / "gap.csv").startswith("column 'prompt': nothing in row 0")


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".JSONL"])
def test_in_json_lines_a_key_may_be_left_out(tmp_path, suffix):
    """What looks like a date stays text."""
    rows = [
        {
            "prompt_id": "2026-01-01",
            "task": "t",
            "prompt": "x",
            "fold": "a",
            "score|m": True,
            "cost|m": 0,
            "score|n": 1,
        },
        {"prompt_id": "2026-01-02", "task": "t", "prompt": "y", "fold": "a", "score|n": 0.5, "cost|n": 2},
    ]
    path = tmp_path / f"t{suffix}"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    table = read_table(path)

    assert ("2026-01-01", "2026-01-02") == table.prompt_ids
    assert () == table.paraphrases
    np.testing.assert_array_equal([[1, 1], [math.nan, 0.5]], table.scores)
    np.testing.assert_array_equal([[0, math.nan], [math.nan, 2]], table.costs_usd)


def test_json_lines_that_lack_a_column_are_refused(tmp_path):
    """A text that is a number is, too."""
    (tmp_path / "t.jsonl").write_text('{"prompt_id": "1", "task": "t", "fold": "f", "score|m": 1, "score|n": 0}\n')
    (tmp_path / "u.jsonl").write_text('{"prompt_id": 1, "score|m": 1, "score|n": 0}\n')

    assert "no column 'prompt'; add it" == refused(tmp_path / "t.jsonl")
    assert "prompt_id" in refused(tmp_path / "u.jsonl")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SHARE = st.one_of(st.none(), st.floats(0, 1, width=32))
AMOUNT = st.one_of(st.none(), st.floats(0, 2.0**100, width=32))
ROW = st.fixed_dictionaries(
    {"task": TEXT, "prompt": TEXT, "fold": TEXT, "paraphrase": st.one_of(st.none(), TEXT)}
    | {f"score|{model}": SHARE for model in ("a", "a.b", "|")}
    | {f"{kind}|{model}": AMOUNT for kind in ("cost", "latency") for model in ("a", "a.b", "|")}
)


@settings(max_examples=50, deadline=None)  # every example waits for the disk
@given(rows=st.lists(ROW, max_size=5))
def test_what_was_written_is_read(rows):
    """Bit by bit, from Parquet and from JSON lines alike."""
    models = ("a", "a.b", "|")
    known = {"task": "t", "prompt": "p", "fold": "f", "paraphrase": "q"}
    known |= {f"{kind}|{model}": 0.5 for kind in ("score", "cost", "latency") for model in models}
    rows = [{"prompt_id": str(n), **row} for n, row in enumerate([*rows, known])]

    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(pa.Table.from_pylist(rows), Path(folder, "t.parquet"))
        Path(folder, "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for path in (Path(folder, "t.parquet"), Path(folder, "t.jsonl")):
            table = read_table(path)

            assert set(models) == set(table.models)
            texts = zip(table.prompt_ids, table.tasks, table.prompts, table.folds, table.paraphrases, strict=True)
            assert [(r["prompt_id"], r["task"], r["prompt"], r["fold"], r["paraphrase"]) for r in rows] == list(texts)
            for kind, read in (("score", table.scores), ("cost", table.costs_usd), ("latency", table.latencies_s)):
                expected = np.array([[r[f"{kind}|{m}"] for m in table.models] for r in rows], np.float64)
                np.testing.assert_array_equal(expected, read)
