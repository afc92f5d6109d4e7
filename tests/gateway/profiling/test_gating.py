"""Gates that look at answers to probes, through real endpoints."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from gateway.cli.asking import asking
from gateway.cli.main import app
from gateway.config.files import read_files
from gateway.profiling.gating import total_usd
from gateway.profiling.journal import Asked, Result
from gateway.profiling.probes import PROBE
from gateway.profiling.table import write_table
from gateway.tables.read import read_table
from gateway.tables.table import TableError
from tests.played import playing

GRADER = {"kind": "number", "value": 42}
PROBES = [
    PROBE.validate_python({"prompt_id": f"p{n}", "task": "t", "prompt": f"{n}", "grader": GRADER}) for n in range(2)
]
TOKENS = {"content": [{"token": "42", "logprob": math.log(0.8)}]}
JUDGE = {"type": "judge", "model": "large"}


@pytest.fixture(scope="module")
def played():
    with playing() as played:
        yield played


@pytest.fixture
def files(played, tmp_path):
    played.requests.clear()
    played.plays.clear()
    played.plays |= {"small": lambda _: {"message": {"content": "42"}, "logprobs": TOKENS}, "large": judging("YES")}
    (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(played.sections("small", "large")))
    return read_files(tmp_path / "gateway.yaml", {})


def judging(verdict):
    return lambda body: f"VERDICT: {verdict}" if "VERDICT" in body["messages"][-1]["content"] else "41"


async def asked(files, gate, model="small"):
    async with asking(files, ["small", "large"], gate) as opened:
        return await opened.asker(model, PROBES[0])


async def test_a_gate_is_shown_what_it_wants(files, played):
    """Log probabilities are asked for, and cost nothing more."""
    answer = await asked(files, {"type": "logprob"})

    assert (pytest.approx(0.8), 0.0) == (answer.verdict, answer.verdict_usd)
    assert [True] == [body.get("logprobs") for body in played.asked("small")]


@pytest.mark.parametrize(("verdict", "chance"), [("YES", 1.0), ("NO", 0.0)])
async def test_a_gate_may_ask_others_and_what_that_costs_is_told(files, played, verdict, chance):
    """The answer's own cost is not in it."""
    played.plays["large"] = judging(verdict)
    answer = await asked(files, JUDGE)

    assert (chance, "42") == (answer.verdict, answer.text)
    assert 1 == len(played.asked("large"))
    assert answer.cost_usd == answer.verdict_usd == pytest.approx((12 * 1 + 6 * 2) / 1e6)


async def test_without_a_gate_nothing_is_said(files, played):
    """The request is as it was."""
    answer = await asked(files, None)

    assert (None, None) == (answer.verdict, answer.verdict_usd)
    assert not any("logprobs" in body for body in played.requests)


async def test_a_gate_that_cannot_ask_is_an_error_of_the_probe(files, played):
    """It is asked again by the next run."""
    played.plays["large"] = lambda _: 400

    assert (await asked(files, JUDGE)).error is not None


def test_a_sum_with_an_unknown_part_is_unknown():
    """It is not less than it is."""
    assert total_usd([0.5, None]) is None
    assert 0.75 == total_usd([0.5, 0.25])


def test_verdicts_are_columns_of_the_table(tmp_path):
    """They come back as they were, NaN where there was no answer."""
    said = Asked("42", None, 7, 2, 0.5, 0.1, verdict=0.25, verdict_usd=0.125)
    results = [Result("a", "p0", 1.0, said), Result("b", "p1", 0.0, replace(said, verdict=0.75, verdict_usd=None))]
    write_table(tmp_path / "t.parquet", PROBES, results, ["a", "b"])
    table = read_table(tmp_path / "t.parquet")

    np.testing.assert_array_equal(table.verdicts, np.array([[0.25, np.nan], [np.nan, 0.75]], np.float32))
    np.testing.assert_array_equal(table.verdict_costs_usd, np.array([[0.125, np.nan], [np.nan, np.nan]], np.float32))


def test_a_verdict_that_is_no_chance_is_refused(tmp_path):
    """The message names the column."""
    said = Asked("42", None, 7, 2, 0.5, 0.1, verdict=1.5, verdict_usd=0.0)
    write_table(tmp_path / "t.parquet", PROBES, [Result(model, "p0", 1.0, said) for model in "ab"], ["a", "b"])

    with pytest.raises(TableError, match=r"column 'gate\|a': has values outside"):
        read_table(tmp_path / "t.parquet")


def test_profile_writes_them_and_goes_on_with_no_other_gate(files, tmp_path):
    """A journal is of one gate."""
    lines = "".join(PROBE.dump_json(probe).decode() + "\n" for probe in PROBES)
    (tmp_path / "probes.jsonl").write_text(lines)
    out = tmp_path / "table.parquet"
    command = ["profile", "-c", str(files.path), "--probes", str(tmp_path / "probes.jsonl"), "--out", str(out)]
    written = CliRunner().invoke(app, [*command, "--gate", "logprob"])

    assert 0 == written.exit_code, written.output
    table = read_table(out)
    assert [pytest.approx(0.8)] * 2 == table.verdicts[:, table.models.index("small")].tolist()
    again = CliRunner().invoke(app, [*command, "--gate", "wellformed"])
    assert "delete the journal, name another --out" in str(again.exception)


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("nobody", "unknown gate 'nobody'"),
        ("[1]", "is no gate"),
        ("{type: judge}", "gate.model: is required"),
        ("{", "no YAML"),
    ],
)
def test_a_gate_that_is_none_is_refused(files, tmp_path, gate, said):
    """Before anybody is asked."""
    result = CliRunner().invoke(
        app, ["profile", "-c", str(files.path), "--out", str(tmp_path / "t.parquet"), "--gate", gate]
    )

    assert said in str(result.exception)
    assert str(result.exception).startswith("--gate: ")
