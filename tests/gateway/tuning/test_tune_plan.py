"""`pointsman tune --plan cascade` as its users run it, on tables whose gate is known to be good or bad."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.config.loader import load
from gateway.config.policy_models import PolicyConfig
from gateway.config.validate import validate
from routers.plans.checking import Checking
from routers.registry import build_router
from routers.state import read_manifest

GATEWAY = """
providers: {here: {vendor: vllm}}
models: {small: {provider: here}, large: {provider: here}}
policies: [mine.yaml]
"""
COSTS = {"small": 0.001, "large": 0.01}


def columns(error, n=240):
    """Return a small model that is right in half of the cases, a large one in nine of ten, and a gate that errs so often."""
    rng = np.random.default_rng(0)
    scores = {"small": rng.random(n) < 0.5, "large": rng.random(n) < 0.9}
    return {
        "prompt_id": [f"p{i}" for i in range(n)],
        "task": ["sums"] * n,
        "prompt": [f"what is {i} plus {i}?" for i in range(n)],
        **{f"score|{model}": one.astype(np.float32) for model, one in scores.items()},
        **{f"cost|{model}": np.full(n, usd, np.float32) for model, usd in COSTS.items()},
        **{f"gate|{model}": (one ^ (rng.random(n) < error)).astype(np.float32) for model, one in scores.items()},
        **{f"gate_cost|{model}": np.full(n, usd / 10, np.float32) for model, usd in COSTS.items()},
        "fold": ["dev" if i % 4 == 0 else "train" for i in range(n)],
    }


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """Keep embeddings out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POINTSMAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Return the files of a table with a good gate, a bad one, and none."""
    folder = tmp_path_factory.mktemp("tables")
    found = {name: folder / f"{name}.parquet" for name in ("good", "bad", "none")}
    for name, error in (("good", 0.05), ("bad", 0.35), ("none", 0.0)):
        kept = {c: v for c, v in columns(error).items() if name != "none" or not c.startswith("gate")}
        pq.write_table(pa.table(kept), found[name])
    return found


def tune(table, out, *arguments, status=0, gate=("--gate", "logprob")):
    command = ["tune", str(table), "--plan", "cascade", "--out", str(out), *gate, "--engine", "serial"]
    result = CliRunner().invoke(app, [*command, *map(str, arguments)])
    assert status == result.exit_code, result.output
    return result


def test_a_good_gate_makes_a_cascade_that_is_as_good_as_the_large_model_and_cheaper(tables, tmp_path):
    """Half of the requests never reach it, which holds on rows that nothing was chosen by."""
    printed = tune(tables["good"], tmp_path / "mine.yaml", "--report-on", "dev", "--json").stdout
    found = json.loads(printed)
    chosen, large = found["seen"]["chosen"], found["seen"]["large"]

    assert found["chosen"]["family"] != "single"
    assert chosen["quality"] > large["quality"] - 0.03
    assert chosen["cost_usd"] < 0.8 * large["cost_usd"]
    assert 0.1 == pytest.approx(found["gate"]["cost_share"], rel=1e-3)


def test_a_bad_gate_is_left_alone_and_the_file_says_why(tables, tmp_path):
    """Above a quarter of errors a single call is taken."""
    tune(tables["bad"], tmp_path / "mine.yaml")
    text = (tmp_path / "mine.yaml").read_text()

    assert "estimating" == yaml.safe_load(text)["router"]["type"]
    assert "So a single call is taken: the gate errs in" in text


def test_who_insists_gets_several_calls_and_is_told_what_speaks_against_it(tables, tmp_path):
    """The file keeps the objection."""
    tune(tables["bad"], tmp_path / "mine.yaml", "--insist")
    text = (tmp_path / "mine.yaml").read_text()

    assert yaml.safe_load(text)["router"]["type"] in {"cascade", "cascade_routing"}
    assert "insisted on; against it speaks that the gate errs in" in text


def test_what_is_written_serves_with_its_gate_fitted(tables, tmp_path):
    """`pointsman check` takes it, and the state has the gate's weights."""
    out = tmp_path / "mine.yaml"
    tune(tables["good"], out)
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    checked = CliRunner().invoke(app, ["check", str(tmp_path / "gateway.yaml")])
    policy = validate(load(out, {}), PolicyConfig)
    router = build_router(policy.router)

    assert 0 == checked.exit_code, checked.output
    assert isinstance(router, Checking)
    assert router.gate.is_fitted is False
    router.load(tmp_path / str(policy.state))
    assert router.gate.is_fitted is True
    assert router.gate.combination.weights[1] > 0
    assert "gated" == read_manifest(tmp_path / str(policy.state)).router


@pytest.mark.parametrize(("budget", "family"), [(0.002, "single"), (0.008, "cascade")])
def test_a_budget_is_kept(tables, tmp_path, budget, family):
    """On the rows that were chosen on, a request costs no more on average."""
    found = json.loads(tune(tables["good"], tmp_path / "mine.yaml", "--budget", budget, "--json").stdout)

    assert found["levels"]["chosen"]["cost_usd"] <= budget
    assert (family == "single") is (found["chosen"]["family"] == "single")


def test_a_high_price_buys_little(tables, tmp_path):
    """Where a USD is worth more than any answer, the cheapest model answers."""
    found = json.loads(tune(tables["good"], tmp_path / "mine.yaml", "--price", 1e6, "--json").stdout)

    assert COSTS["small"] == pytest.approx(found["levels"]["chosen"]["cost_usd"], rel=1e-3)


@pytest.mark.parametrize(
    ("table", "arguments", "said"),
    [
        ("none", [], "--gate"),
        ("good", ["--budget", "0.0001"], "--budget: 0.0001 is too little"),
        ("good", ["--budget", "1", "--price", "1"], "give one of them"),
        ("good", ["--try", "knn.neighbours=3"], "--try: leave it out"),
        ("good", ["--router", "nobody"], "no estimator 'nobody'"),
        ("good", ["--router", "knn,ridge"], "one estimator"),
    ],
)
def test_what_cannot_be_is_refused(tables, tmp_path, table, arguments, said):
    """The message names the option and the remedy, and nothing is written."""
    result = CliRunner().invoke(
        app,
        [
            "tune",
            str(tables[table]),
            "--plan",
            "cascade",
            "--out",
            str(tmp_path / "a.yaml"),
            "--gate",
            "logprob",
            *arguments,
        ],
    )

    assert 0 != result.exit_code
    assert said in " ".join((result.output or str(result.exception)).split()) or said in str(result.exception)
    assert not (tmp_path / "a.yaml").exists()


def test_a_plans_options_mean_nothing_without_it(tables, tmp_path):
    """They are refused, rather than passed over."""
    result = CliRunner().invoke(app, ["tune", str(tables["good"]), "--out", str(tmp_path / "a.yaml"), "--budget", "1"])

    assert 2 == result.exit_code
    assert "--budget: give --plan as well" in result.output
