import json
from datetime import UTC, datetime
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.feedback.files import FeedbackFileError
from gateway.feedback.importing import MAX_TOLD, Import, Imported
from gateway.store.base import Selection
from gateway.store.checks import NOON, build_decision
from gateway.store.memory import MemoryStore

FIRST, SECOND = UUID(int=1), UUID(int=2)
HEAD = "decision_id,kind,value,name,preferred,over,source,comment,at,idempotency_key\n"
LABELS = {"rude": 0.1}


def reading(path):
    """Return the import of a file."""
    return Import(path, source="grader", now=NOON, labels=LABELS)


def written(folder, text, name="feedback.csv"):
    """Write a file; return its import."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return reading(path)


def stored(one):
    """Store a file in a log with one decision; return what was done, and the feedback by kind."""
    log = MemoryStore()
    log.append([build_decision(1)])
    done = one.store(log)
    (event,) = log.joined()
    return done, {feedback.kind: feedback for feedback in event.feedback}


CSV = (
    HEAD
    + f"""{FIRST},score,0.75,,,,,"well said, and 'short'",2026-01-02T03:04:05Z,
{FIRST},binary,up,,,,user,,2026-01-02 03:04:05,k1
{FIRST},preference,,,large,small,judge:x,,,
{FIRST},label,,rude,,,,,,
{FIRST},implicit,0.2,retry,,,implicit,,,
{SECOND},thumb,down,,,,,,,
"""
)


def test_a_csv_file_says_all_kinds(tmp_path):
    """Each column has its place; what a row leaves out is the importer's to say."""
    done, found = stored(written(tmp_path, CSV))
    score, thumb, preference = found["score"], found["binary"], found["preference"]

    assert Imported(new=6, known=0, waiting=1) == done
    assert (0.75, "well said, and 'short'", "grader") == (score.value, score.comment, score.source)
    assert [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)] * 2 == [score.at, thumb.at]
    assert ("large", "small", 1.0, "judge:x", NOON) == (
        preference.model,
        preference.other,
        preference.value,
        preference.source,
        preference.at,
    )
    assert (("rude", 0.1), ("retry", 0.2)) == tuple(
        (found[kind].name, found[kind].value) for kind in ("label", "implicit")
    )
    assert {"trusted:admin"} == {feedback.caller for feedback in found.values()}


def test_the_same_rows_in_another_format_are_the_same_feedback(tmp_path):
    """CSV, JSON Lines and Parquet say the same, so that importing all three stores it once."""
    rows = [
        {"decision_id": str(FIRST), "kind": "score", "value": 0.75, "at": NOON},
        {"decision_id": str(FIRST), "kind": "label", "name": "rude", "at": NOON},
    ]
    table = pa.Table.from_pylist(
        rows,
        schema=pa.schema(
            [
                ("decision_id", pa.string()),
                ("kind", pa.string()),
                ("value", pa.float64()),
                ("name", pa.string()),
                ("at", pa.timestamp("us", tz="UTC")),
            ]
        ),
    )
    pq.write_table(table, tmp_path / "feedback.parquet")
    lines = "\n".join(json.dumps({**row, "at": NOON.isoformat()}) for row in rows)
    csv = f"\ufeffdecision_id,kind,value,name\n{FIRST},score,0.75,\n{FIRST},label,,rude\n"
    log = MemoryStore()

    imports = [
        written(tmp_path, lines, "feedback.jsonl"),
        reading(tmp_path / "feedback.parquet"),
        written(tmp_path, csv),
    ]

    assert [2, 2, 2] == [one.check() for one in imports]
    assert [(2, 0), (0, 2), (0, 2)] == [(done.new, done.known) for done in (one.store(log) for one in imports)]


def test_what_was_deleted_stays_away(tmp_path):
    """Importing the file again does not bring it back."""
    log, one = MemoryStore(), written(tmp_path, CSV)
    one.store(log)
    log.erase(Selection(source="judge:x"), NOON)

    assert Imported(new=0, known=6, waiting=6) == one.store(log)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("x,score,1", r"feedback\.csv:2: decision_id: .*UUID"),
        (",score,1", "decision_id or token must be given"),
        (f"{FIRST},stars,5", "kind is 'stars': write one of score, binary"),
        (f"{FIRST},score,5", "score: .*less than or equal to 1"),
        (f"{FIRST},score,good", "value is 'good': write a number from 0 to 1"),
        (f"{FIRST},score,nan", "score: "),
        (f"{FIRST},binary,yes", "value is 'yes': write up or down"),
        (f"{FIRST},label,1", "name is missing"),
        (f"{FIRST},preference,,,large,", "preference.over"),
        (f"{FIRST},implicit,0.5", "implicit.name"),
        (f"{FIRST},score,1,,,,,,yesterday,", "at is 'yesterday': write a time as"),
        (f"{FIRST},score,1,,,,,,,,more", "has more fields than the first line"),
        (f'{FIRST},score,"1', "unexpected end of data"),
    ],
)
def test_a_wrong_row_is_told_with_its_place(tmp_path, row, told):
    """The file, the line, the column and what to write; nothing is stored."""
    with pytest.raises(FeedbackFileError, match=told) as error:
        written(tmp_path, HEAD + row + "\n").check()

    assert "feedback.csv:2" in str(error.value)


def test_all_wrong_rows_are_told_up_to_a_number(tmp_path):
    """Each on a line of its own."""
    few = HEAD + f"{FIRST},score,7\n{FIRST},score,1\n{FIRST},score,8\n"
    many = HEAD + f"{FIRST},score,7\n" * 100

    for text, expected in ((few, 2), (many, MAX_TOLD + 1)):
        with pytest.raises(FeedbackFileError) as error:
            written(tmp_path, text).check()
        assert expected == len(str(error.value).splitlines())


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("feedback.xlsx", b"", "ends in .csv, .jsonl, .parquet"),
        ("missing.csv", None, "cannot be read: No such file"),
        ("feedback.csv", b"decision_id\n\xff\xfe", "is no UTF-8"),
        ("feedback.csv", b"decision,kind\nx,score\n", "no column 'decision'; did you mean 'decision_id'"),
        ("feedback.jsonl", b"{\n", "feedback.jsonl:1: is no JSON"),
        ("feedback.jsonl", b"\n[1]\n", "feedback.jsonl:2: is no JSON object"),
        ("feedback.parquet", b"not at all", "is no Parquet file"),
    ],
)
def test_a_wrong_file_is_told(tmp_path, name, content, told):
    """And how to mend it."""
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(FeedbackFileError, match=told):
        reading(tmp_path / name).check()
