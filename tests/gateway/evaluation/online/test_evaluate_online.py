"""The command as its users run it, on a table of two kinds of requests, each with its specialist."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.evaluate import command

APP = typer.Typer(pretty_exceptions_enable=False)
APP.command("evaluate")(command)
APP.callback()(lambda: None)

FAST = ["--online", "--engine", "serial", "--seeds", "2"]
HOSTILE = "</style><script>window.hacked=1</script>"


def write_table(path, n=300, names=("poet", "adder", "plain")):
    """Write two tasks in turn; two of the models are right on one each, the third is right in half of all."""
    rng, kind = np.random.default_rng(0), np.arange(n) % 2
    chances = dict(zip(names, (np.where(kind, 1.0, 0.1), np.where(kind, 0.1, 1.0), np.full(n, 0.5)), strict=True))
    pq.write_table(
        pa.table(
            {
                "prompt_id": [f"p{i}" for i in range(n)],
                "task": ["poems" if one else "sums" for one in kind],
                "prompt": [
                    f"{'a poem about the sea' if one else 'add these numbers'} {i}" for i, one in enumerate(kind)
                ],
                **{f"score|{model}": (rng.random(n) < p).astype(np.float32) for model, p in chances.items()},
                **{f"cost|{model}": np.full(n, 0.001, np.float32) for model in names},
                "fold": ["dev" if i % 6 > 3 else "train" for i in range(n)],
            }
        ),
        path,
    )
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep embeddings out of the user's cache."""
    monkeypatch.setenv("POINTSMAN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path / "kinds.parquet")


def evaluate(*arguments, status=0):
    result = CliRunner().invoke(APP, ["evaluate", *map(str, arguments)])
    assert status == result.exit_code, result.output
    return result


def report(folder):
    return json.loads((folder / "report.json").read_text())


def test_routers_are_held_against_the_best_fixed_model_and_full_information(table, tmp_path):
    """Who tells the kinds apart earns more than any model, and in the end nearly what it would that is told all."""
    evaluate(table, "--out", tmp_path / "out", *FAST[:-1], 1, "--router", "lin_ucb,knn,ema")
    found = {one["router"]: one for one in report(tmp_path / "out")["routers"]}

    assert ["fits", "sums", "sums"] == [found[name]["learns_by"] for name in ("knn", "lin_ucb", "ema")]
    assert found["lin_ucb"]["beyond_best"]["mean"] > 0.2 > found["ema"]["beyond_best"]["mean"]
    assert found["lin_ucb"]["final"]["share"] > 0.8
    assert found["lin_ucb"]["beyond_full"]["mean"] < 0.05


def test_what_is_told_beforehand_is_no_part_of_the_stream(table, tmp_path):
    """Who is told half of it decides the other half, and begins as one that has learned."""
    evaluate(table, "--out", tmp_path / "out", *FAST[:-1], 1, "--router", "lin_ucb", "--warm", "0.5")
    (entry,) = report(tmp_path / "out")["routers"]

    assert 100 == entry["n"]
    assert entry["beyond_best"]["mean"] > 0.3


def test_who_is_told_of_prices_loses_less_when_one_changes(table, tmp_path):
    """Whoever has to learn it from what answers cost has more to lose."""
    policy = tmp_path / "brief.yaml"
    policy.write_text("name: brief\nrouter: {type: ema, half_life_s: 30, feature: null}\n")
    change = ["--change", "price:poetx100@0.5"]
    evaluate(table, "--out", tmp_path / "out", *FAST, "--router", policy, *change)
    evaluate(table, "--out", tmp_path / "known", *FAST, "--router", policy, *change, "--known-prices")
    (learned,), (known,) = (report(tmp_path / name)["routers"][0]["changes"] for name in ("out", "known"))

    assert (["price:poetx100@0.5"], 100, 200) == tuple(learned[key] for key in ("changes", "row", "until"))
    assert known["drop"] <= learned["drop"]


def test_a_model_that_is_removed_is_not_asked(table, tmp_path):
    """Nor is one that has not come yet, and the final policy is judged among those that are left."""
    changes = ["--change", "add:adder@0.3", "--change", "remove:poet@0.6"]
    evaluate(table, "--out", tmp_path / "out", *FAST, "--router", "softmax", *changes)
    (entry,) = report(tmp_path / "out")["routers"]

    assert (["plain"], [60, 120]) == (entry["best_fixed"], [one["row"] for one in entry["changes"]])


def test_feedback_may_be_late_and_missing(table, tmp_path):
    """It is told on the page."""
    late = ["--delay", 20, "--missing", 0.25, "--batch", 5]
    evaluate(table, "--out", tmp_path / "out", *FAST, "--router", "exp3", *late, "--price", 0.3)
    asked, page = report(tmp_path / "out")["settings"], (tmp_path / "out" / "report.html").read_text()

    assert (20, 0.25, 5, 0, 0.3) == tuple(asked[key] for key in ("delay", "missing", "batch", "eager", "price"))
    assert "feedback 20 requests late · 25% of it missing" in page


def test_processes_find_what_one_does(table, tmp_path):
    """The report does not depend on who did the work."""
    for name, engine in (("one", "serial"), ("two", "processes:2")):
        evaluate(table, "--out", tmp_path / name, "--online", "--router", "ema", "--seeds", 2, "--engine", engine)

    assert report(tmp_path / "one")["routers"] == report(tmp_path / "two")["routers"]


class Elements(HTMLParser):
    """The elements of a page, and whether each that is opened is closed."""

    def __init__(self, text):
        super().__init__()
        self.seen, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        del attrs
        self.seen.append(tag)
        if tag not in {"meta", "input", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        del attrs
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert tag == self.open.pop()


def test_the_page_draws_regret_and_fetches_nothing(tmp_path):
    """Two drawings with a line and a band for each router; names stay text, and there is no script."""
    table = write_table(tmp_path / "kinds.parquet", names=(HOSTILE, "adder", "plain"))
    evaluate(table, "--out", tmp_path / "out", *FAST, "--router", "ema,random", "--change", f"remove:{HOSTILE}@0.5")
    text = (tmp_path / "out" / "report.html").read_text()
    elements = Elements(text)

    assert ([], 4, 4) == (elements.open, elements.seen.count("polyline"), elements.seen.count("polygon"))
    assert "script" not in elements.seen
    assert not {"img", "link", "iframe"} & set(elements.seen)
    assert "default-src &#x27;none&#x27;" in text


def test_what_is_printed_is_the_report(table, tmp_path):
    """With --json on standard output, tables on standard error."""
    result = evaluate(table, "--out", tmp_path / "out", *FAST, "--router", "ema", "--json")

    assert report(tmp_path / "out") == json.loads(result.stdout)
    assert "beyond best fixed" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--online", "--change", "swap:poet,pet@0.5"], "no model 'pet'"),
        (["--online", "--pair", "poet,adder"], "--pair"),
        (["--online", "--leave-task-out"], "--leave-task-out"),
        (["--online", *(f"--change=remove:{name}@0.5" for name in ("poet", "adder", "plain"))], "leave one"),
        (["--online", "--warm", "0.999"], "too few"),
        (["--delay", "3"], "give --online"),
        (["--change", "add:poet@0.5"], "give --online"),
    ],
)
def test_what_cannot_be_done_is_refused(table, tmp_path, arguments, said):
    """With status 2, before anything is written."""
    result = evaluate(table, "--out", tmp_path / "out", "--router", "ema", "--engine", "serial", *arguments, status=2)

    assert said in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()
