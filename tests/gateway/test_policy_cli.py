"""`pointsman explain`, `check` and `policy`, as users run them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx2
import pytest
import typer
import yaml
from typer.testing import CliRunner

from gateway.cli.main import USER_ERRORS, app
from gateway.config.loader import ConfigError
from gateway.errors import RequestError
from gateway.store.checks import build_decision
from gateway.store.sqlite import SQLiteStore
from tests.pages import ROOT, section

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

PRICE = {"input": 1, "output": 2}
GATEWAY = {
    "providers": {"up": {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}},
    "models": {
        "small": {"provider": "up", "price": PRICE, "context_window": 8000},
        "large": {"provider": "up", "price": PRICE, "context_window": 8000, "clearance": "confidential"},
    },
    "data_classes": {"by_pii": {"email": "confidential"}},
    "callers": {"ann": {"key": "secret-key", "role": "staff", "deny_models": ["small"]}},
    "signals": {"time": {"windows": {"night": {"opens": "22:00", "closes": "06:00"}}}},
    "store": {"path": "log.db"},
    "policies": ["auto.yaml"],
}
RULES = [
    {"name": "joke", "when": {"text": {"contains": "joke"}}, "refuse": "No jokes.", "tag": "fun"},
    {"name": "night", "when": {"time.windows": "night"}, "pool": ["large"]},
    {"name": "staff", "when": {"role": "staff"}, "tag": "inside"},
]


def write(folder: Path, rules=RULES, name="auto", **policy) -> Path:
    path = folder / f"{name}.yaml"
    written = {"name": name, "router": {"type": "cheapest"}, "rules": rules, **policy}
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    return path


@pytest.fixture
def config(tmp_path) -> Path:
    write(tmp_path)
    path = tmp_path / "gateway.yaml"
    path.write_text(yaml.safe_dump(GATEWAY, sort_keys=False))
    return path


def pointsman(*arguments: object, status: int = 0) -> Result:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert status == done.exit_code, done.output
    return done


def fails(*arguments: object) -> str:
    """Return the error that a command ends with, which the command line says in words."""
    error = CliRunner().invoke(app, [*map(str, arguments)]).exception
    assert isinstance(error, USER_ERRORS)
    return str(error)


def test_a_text_is_explained(config):
    """Signals, rules, the class, who is removed and why, who is chosen, and how long it took."""
    said = pointsman("explain", "Write to ann@example.org", "-c", config, "--at", "2026-01-05T12:00").stdout

    assert "prompt_tokens" in said
    assert "joke    does not hold   text: not containing 'joke'" in said
    assert "staff   unknown         role is unknown" in said
    assert "data class confidential: pii: email" in said
    assert "removed: data class: the request is confidential" in said
    assert "large by policy auto, where no rule matches (cheapest)" in said
    assert "took signals" in said
    assert "ann@example.org" not in said


def test_a_refusal_is_explained_and_is_no_failure(config):
    """The rules that were not reached are said to be so."""
    said = pointsman("explain", "tell a joke", "-c", config, "--at", "2026-01-05T23:00").stdout

    assert "refused (rejected_by_policy) by policy auto, rule joke, tag fun:" in said
    assert "not reached; holds" in said


def test_an_explanation_is_what_the_route_endpoint_returns(config):
    """With its trace, as JSON."""
    found = json.loads(pointsman("explain", "hi", "-c", config, "--json", "--at", "2026-01-05T23:00").stdout)

    assert ("routing.decision", "night", "large") == (found["object"], found["rule"], found["model"])
    assert ["joke", "night", "staff"] == [rule["rule"] for rule in found["trace"]["rules"]]
    assert [True, True, False] == [rule["reached"] for rule in found["trace"]["rules"]]


def test_a_body_headers_and_a_caller_count(config, tmp_path):
    """As they would for a request with that caller's key."""
    body = tmp_path / "request.json"
    body.write_text(json.dumps({"model": "small", "messages": [{"role": "user", "content": "hi"}], "tools": [{}]}))
    arguments = ["explain", "--body", body, "-c", config, "--json", "--at", "2026-01-05T12:00"]

    assert "small" == json.loads(pointsman(*arguments).stdout)["policy"]
    found = json.loads(pointsman(*arguments, "--policy", "auto", "--caller", "ann").stdout)
    assert ("staff", "large") == (found["rule"], found["model"])
    assert {"small": "denied: the caller or its key denies it"} == found["removed"]
    assert found["signals"]["tools"] is True
    denied = pointsman(
        *arguments,
        "--policy",
        "auto",
        "--header",
        "X-Pointsman-Deny-Models=large",
        "--header",
        "x-pointsman-deny-models=small",
    ).stdout
    assert "no_eligible_model" == json.loads(denied)["refused"]["code"]


def test_a_deadline_that_would_be_missed_is_said(config):
    """Explaining goes on without it; with an own deadline, the signal is missed."""
    written = {**GATEWAY, "signals": {**GATEWAY["signals"], "deadline_ms": 0.001}}
    config.write_text(yaml.safe_dump(written))

    said = pointsman("explain", "hi", "-c", config).stdout
    assert "The configured deadline of 0.001 ms would have been missed by" in said
    assert "missed: it took too long, or failed" not in said
    late = pointsman("explain", "hi", "-c", config, "--deadline-ms", "0.001").stdout
    assert "missed: it took too long, or failed" in late


def test_what_is_no_request_is_an_error(config, tmp_path):
    """With what to do instead."""
    (tmp_path / "body.json").write_text("{}")
    (tmp_path / "no.json").write_text("{")

    assert "The model 'nope' does not exist" in fails("explain", "hi", "--policy", "nope", "-c", config)
    assert "'model' is required" in fails("explain", "--body", tmp_path / "body.json", "-c", config)
    assert "--caller: no caller 'an'; did you mean 'ann'?" == fails("explain", "hi", "--caller", "an", "-c", config)
    assert RequestError in USER_ERRORS
    for wrong in (["explain"], ["explain", "hi", "--header", "x"], ["explain", "--body", tmp_path / "no.json"]):
        pointsman(*wrong, "-c", config, status=2)


def test_warnings_break_a_check_only_if_it_is_strict(config, tmp_path):
    """A line each, with file and line."""
    write(tmp_path, [{"name": "dead", "when": {"role": "stff"}, "tag": "x"}])
    said = pointsman("check", config).stdout

    assert (
        f"{tmp_path / 'auto.yaml'}:7: rules.0.when.role: warning: role is never 'stff'; did you mean 'staff'?" in said
    )
    assert said.rstrip().endswith("gateway.yaml: good, with 1 warning")
    assert said == pointsman("check", config, "--strict", status=1).stdout
    write(tmp_path)
    assert pointsman("check", config, "--strict").stdout.rstrip().endswith("gateway.yaml: good")


def test_a_check_reads_the_settings_of_signals(config):
    """What would be refused when serving is refused here."""
    config.write_text(yaml.safe_dump({**GATEWAY, "signals": {"time": {"zone": "Mars/Base"}}}))

    assert "Mars/Base" in fails("check", config)


FIXTURES = """\
fixtures:
  - name: jokes are refused
    text: a joke
    expect: {rule: joke, refused: No jokes}
  - text: good night
    at: 2026-01-05T23:00:00
    expect:
      rule: night
      models: [small]
"""


def test_policies_are_tested(config, tmp_path):
    """A line for each failure, with file and line; a summary; and a status."""
    (tmp_path / "tests").mkdir()
    fixtures = tmp_path / "tests" / "auto.yaml"
    fixtures.write_text(FIXTURES)
    failed = pointsman("policy", "test", "-c", config, status=1).stdout

    assert (
        f"{fixtures}:9: fixtures.1.expect.models: expected small, got large; "
        "'night' holds: time.windows is [night]\n2 fixtures: 1 good, 1 failed\n"
    ) == failed.replace(", with any of 'night'", "").replace(", with any of night", "")
    fixtures.write_text(FIXTURES.replace("[small]", "[large]"))
    assert "2 fixtures: 2 good, 0 failed\n" == pointsman("policy", "test", "-c", config).stdout
    assert "2 fixtures: 2 good, 0 failed\n" == pointsman("policy", "test", fixtures, "-c", config).stdout


def test_without_fixtures_nothing_is_said_to_be_good(config):
    """A wrong folder must not look like a success."""
    error = fails("policy", "test", "-c", config)

    assert "there are no fixtures: name files, or write tests/NAME.yaml beside the policies" == error


@pytest.fixture
def log(config) -> Path:
    """Write a log of three requests under `auto`."""
    path = config.parent / "log.db"
    store = SQLiteStore.open(path)
    trace = {"signal_ms": {"length": 0.1, "identity": 0.1}, "missed": [], "removed": {}}
    changes = {"propensities": {"small": 0.0, "large": 1.0}, "trace": trace, "text": None, "embedding": None}
    base = {"prompt_tokens": 100.0, "needs": ()}
    store.append(
        [build_decision(n, features={**base, **({"role": "staff"} if n == 2 else {})}, **changes) for n in (1, 2, 3)]
    )
    store.close()
    return path


def plain(folder: Path) -> Path:
    """Write the gateway without data classes, whose pool is asked in order of price."""
    models = {name: {**model, "clearance": None} for name, model in GATEWAY["models"].items()}
    models["large"]["price"] = {"input": 3, "output": 6}
    path = folder / "plain.yaml"
    path.write_text(yaml.safe_dump({**GATEWAY, "models": models, "data_classes": None}))
    return path


def test_a_change_of_a_policy_is_compared_on_the_log(log, tmp_path):
    """Files of policies against a gateway's: who moves, and by which rules."""
    write(tmp_path, [])
    staff = [{"name": "staff", "when": {"role": "staff"}, "pool": ["large"]}]
    new = tmp_path / "new"
    new.mkdir()
    arguments = ["policy", "diff", tmp_path / "auto.yaml", write(new, staff), "--log", log, "-c", plain(tmp_path)]
    found = json.loads(pointsman(*arguments, "--json").stdout)

    assert (3, 3) == (found["requests"], found["compared"])
    assert 1 == found["moved"]["requests"]
    assert [{"old": "small", "new": "large", "requests": 1}] == found["moved"]["likeliest"]
    assert {"old": None, "new": "staff", "requests": 1, "moved": 1.0} in found["rules"]
    assert [str(build_decision(2).id)] == [one["decision_id"] for one in found["examples"]]
    assert found["cost_usd"]["mean"] > 0
    assert found["reward"] is None
    said = pointsman(*arguments).stdout
    assert "1 move; 33.3% of all probability goes to other models" in said
    assert "quality expected: unknown" in said
    assert str(build_decision(2).id) in said


@pytest.mark.usefixtures("log")
def test_gateways_are_compared_and_what_cannot_be_told_is_said(tmp_path):
    """The log of the old one is read, and shows no text; what it lacks is named."""
    write(tmp_path, [])
    old = plain(tmp_path)
    new = tmp_path / "next"
    new.mkdir()
    write(new, [{"name": "hard", "when": {"difficulty": {"above": 0.5}}, "tag": "x"}])
    (new / "gateway.yaml").write_text(old.read_text())
    said = pointsman("policy", "diff", old, new / "gateway.yaml").stdout

    assert "3 requests, 0 compared" in said
    assert "cannot tell 3: the log lacks difficulty" in said
    assert "1 requests" in pointsman("policy", "diff", old, new / "gateway.yaml", "--limit", "1").stdout
    assert "0 requests" in pointsman("policy", "diff", old, new / "gateway.yaml", "--since", "1s").stdout


def test_new_refusals_are_said(log, tmp_path):
    """By rule and code."""
    write(tmp_path, [])
    new = tmp_path / "next"
    new.mkdir()
    policy = write(new, [{"name": "outsiders", "when": {"role": {"present": False}}, "refuse": "Staff only."}])
    said = pointsman("policy", "diff", tmp_path / "auto.yaml", policy, "--log", log, "-c", plain(tmp_path)).stdout

    assert "new refusals: 2 (rejected_by_policy, outsiders)" in said


def test_a_policy_is_checked_before_it_is_compared(config, log, tmp_path):
    """Its models have to exist in the gateway that it is read against."""
    new = tmp_path / "next"
    new.mkdir()
    policy = write(new, [], pool=["smal"])

    error = fails("policy", "diff", tmp_path / "auto.yaml", policy, "--log", log, "-c", config)
    assert f"{policy}:6: pool.0: 'smal' is not in models; did you mean 'small'?" == error
    assert ConfigError in USER_ERRORS


def test_every_command_of_policy_is_documented():
    """docs/commands.md has a section for each, which names its options."""
    commands = typer.main.get_command(app).commands["policy"].commands
    missing = [
        f"{name} {option}"
        for name, command in commands.items()
        for option in ["", *(o for p in command.params for o in p.opts if o.startswith("--"))]
        if option not in {"--config", "--help"}
        and option not in (section(ROOT / "docs" / "commands.md", f"policy {name}") or "\0")
    ]

    assert {"test", "diff"} == set(commands)
    assert [] == missing


def test_a_configuration_decides_as_it_did_when_it_served(serve):
    """Compared with itself on its own log: nothing moves, and every decision is the one that was logged."""
    router = {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "greedy", "floor": 0.1}}
    rules = [{"name": "short", "when": {"prompt_tokens": {"below": 12}}, "pool": ["good", "other"]}]
    running = serve({"auto": {"pool": ["good", "other", "slow"], "router": router, "rules": rules}})
    for text in ("hi", "what is the sum of all the numbers from one to a hundred, and why is it what it is?"):
        chat = {"model": "auto:0.4", "messages": [{"role": "user", "content": text}]}
        httpx2.post(f"{running.url}/v1/chat/completions", json=chat)
    running.logged()
    config = running.folder / "gateway.yaml"
    found = json.loads(pointsman("policy", "diff", config, config, "--json").stdout)

    assert (2, 2, 2) == (found["requests"], found["compared"], found["reproduced"])
    assert 0.0 == found["moved"]["probability"]["mean"] == found["cost_usd"]["mean"] == found["reward"]["mean"]
    assert [("short", "short"), (None, None)] == [(one["old"], one["new"]) for one in found["rules"]]
