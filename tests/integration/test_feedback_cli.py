from __future__ import annotations

import subprocess
import sys

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.processes import ROOT

AUTO = {"auto": {"pool": ["good", "other"], "router": {"type": "random"}}}
ASK = {"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}


@pytest.fixture
def running(serve):
    """Serve, with a caller of its own key."""
    return serve(AUTO, callers={"app": {"key": "key-of-the-app-0123"}})


@pytest.fixture
def answered(running):
    """Ask twice; return the decisions."""
    headers = {"authorization": "Bearer key-of-the-app-0123"}
    url = f"{running.url}/v1/chat/completions"
    return [httpx2.post(url, json=ASK, headers=headers).headers["x-pointsman-decision-id"] for _ in range(2)]


def command(running, *options):
    """Run `pointsman feedback` on the log of a gateway that runs."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", "feedback", *options, "--config", str(running.folder / "gateway.yaml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def said(running):
    """Return the sources and values of all feedback in the log."""
    return sorted((one.source, one.value) for event in running.logged() for one in event.feedback)


def test_files_are_imported_into_the_log_of_a_running_gateway(running, answered):
    """A CSV file and a Parquet file, tried first, then stored, each piece once; then some of it is deleted."""
    csv, parquet = running.folder / "labels.csv", running.folder / "labels.parquet"
    csv.write_text("decision_id,kind,value\n" + "".join(f"{one},score,0.25\n" for one in answered))
    pq.write_table(pa.table({"decision_id": answered, "kind": ["binary", "binary"], "value": ["up", "down"]}), parquet)

    tried = command(running, "import", str(csv), "--dry-run")
    assert (0, "2 rows are right; nothing was stored\n") == (tried.returncode, tried.stdout)
    assert [] == said(running)
    for file, source in ((csv, "grader"), (parquet, "grader:anna")):
        first, again = (command(running, "import", str(file), "--source", source) for _ in range(2))
        assert (0, "2 stored, 0 were there before or had been deleted\n", "") == (
            first.returncode,
            first.stdout,
            first.stderr,
        )
        assert "0 stored, 2 were there before or had been deleted\n" == again.stdout
    assert [("grader", 0.25)] * 2 + [("grader:anna", 0.0), ("grader:anna", 1.0)] == said(running)

    deleted = command(running, "delete", "--source", "grader:anna", "--decision", answered[0])
    assert (0, "1 deleted\n") == (deleted.returncode, deleted.stdout)
    assert [("grader", 0.25), ("grader", 0.25), ("grader:anna", 0.0)] == said(running)


def test_a_callers_feedback_is_deleted_by_its_name(running, answered):
    """As it is called in the configuration; where there is none, that is an error."""
    headers = {"authorization": "Bearer key-of-the-app-0123"}
    httpx2.post(f"{running.url}/v1/feedback", json={"decision_id": answered[0], "thumb": "up"}, headers=headers)

    first, again = (command(running, "delete", "--caller", "app") for _ in range(2))

    assert (0, "1 deleted\n") == (first.returncode, first.stdout)
    assert (1, "error: There is no such feedback.\n") == (again.returncode, again.stderr)


def test_a_wrong_file_stores_nothing(running, answered):
    """Its wrong rows are told, each on a line; those that are right are not stored either."""
    file = running.folder / "labels.csv"
    file.write_text(f"decision_id,kind,value\n{answered[0]},score,0.25\n{answered[0]},score,25\nx,score,1\n")

    wrong = command(running, "import", str(file))

    assert 1 == wrong.returncode
    assert [f"error: {file}:3: score", f"error: {file}:4: decision_id"] == [
        line[: line.index(": Input")] for line in wrong.stderr.splitlines()
    ]
    assert [] == said(running)


def test_nothing_is_deleted_unless_it_is_said_what(running):
    """Leaving out every option is a mistake."""
    assert 2 == command(running, "delete").returncode
