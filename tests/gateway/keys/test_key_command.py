"""`pointsman key`, on both stores."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import typer
import yaml
from typer.testing import CliRunner

from gateway.cli.key_options import new_key, quota, span, until
from gateway.cli.main import app
from gateway.config.loader import ConfigError
from gateway.keys.errors import KeyConflict, KeyNotFound
from gateway.keys.key import KeyQuota, Scopes
from tests.gateway.keys.made import AT

MODELS = {"small": {"provider": "here"}, "large": {"provider": "here"}}


@pytest.fixture(params=["file", "redis"])
def config(request, tmp_path):
    """Return a configuration whose keys are in the one store or the other."""
    written = {"providers": {"here": {"vendor": "vllm"}}, "models": MODELS, "keys": {"store": request.param}}
    if request.param == "redis":
        written["redis"] = {"url": request.getfixturevalue("shared_redis").url, "prefix": uuid4().hex}
    path = tmp_path / "gateway.yaml"
    path.write_text(yaml.safe_dump(written))
    return path


def run(config, *arguments, status=0):
    """Run a subcommand; return what it printed on each of the two streams."""
    done = CliRunner().invoke(app, ["key", *arguments, "--config", str(config)], catch_exceptions=False)
    assert status == done.exit_code, done.output
    return done.stdout, done.stderr


def test_the_life_of_a_key(config):
    """Made, shown, listed, rotated, revoked; its secret is printed when it is made and never again."""
    options = ["--model", "small", "--deny-model", "large", "--policy", "small", "--tag", "a", "--tag", "b", "--debug"]
    options += ["--role", "admin", "--team", "blue", "--user", "ann", "--max-cost-usd", "0.5", "--expires", "30d"]
    options += ["--quota", "5.50 usd/month", "--quota", "4 concurrent"]
    out, err = run(config, "create", "alice", *options, "--json")
    made = json.loads(out)
    assert "it cannot be shown again" in err
    assert made["secret"].startswith("pm-")

    shown = json.loads(run(config, "show", "alice", "--json")[0])
    assert {name: value for name, value in made.items() if name != "secret"} == shown
    assert (["small"], ["large"], ["small"], ["a", "b"], True, 0.5, "admin", "blue", "ann") == tuple(
        shown[name]
        for name in ("models", "deny_models", "policies", "tags", "debug", "max_cost_usd", "role", "team", "user")
    )
    assert [("usd", "5.50", "month"), ("concurrent", "4", None)] == [tuple(one.values()) for one in shown["quotas"]]

    rotated = json.loads(run(config, "rotate", made["id"], "--grace", "1h", "--json")[0])
    assert (made["id"], [made["hint"]]) == (rotated["id"], [one["hint"] for one in rotated["replaced"]])
    assert made["secret"] != rotated["secret"]
    text, _ = run(config, "revoke", "alice")
    assert "status: revoked" in text
    assert [] == json.loads(run(config, "list", "--json")[0])
    listed, _ = run(config, "list", "--all")
    assert "alice" in listed
    assert "revoked" in listed
    assert rotated["secret"][3:] not in listed + text


def test_what_cannot_be_is_refused(config):
    """With the thing and the remedy; nothing is made."""
    run(config, "create", "alice")
    for arguments, error, said in [
        (["create", "alice"], KeyConflict, "'alice' is another key's: choose another one"),
        (["create", "bob", "--model", "smal"], Exception, "did you mean 'small'"),
        (["show", "nobody"], KeyNotFound, "No key has the id or name 'nobody'"),
        (["rotate", "nobody"], KeyNotFound, "No key has the id or name 'nobody'"),
        (["revoke", "nobody"], KeyNotFound, "No key has the id or name 'nobody'"),
    ]:
        with pytest.raises(error, match=said):
            run(config, *arguments)
    for arguments in [
        ["create", "b", "--quota", "many"],
        ["create", "b", "--quota", "1.5 requests/day"],
        ["create", "b", "--expires", "soon"],
        ["create", "b c"],
        ["rotate", "alice", "--grace", "2026-11-22T12:00:00"],
        ["rotate", "alice", "--grace", "5w"],
    ]:
        run(config, *arguments, status=2)
    assert ["alice"] == [one["name"] for one in json.loads(run(config, "list", "--json", "--all")[0])]


def test_without_virtual_keys_there_are_none(config):
    """The configuration says whether there are."""
    written = yaml.safe_load(config.read_text())
    del written["keys"]
    config.write_text(yaml.safe_dump(written))
    with pytest.raises(ConfigError, match=r"gateway\.yaml:1: has no virtual keys: write `keys: \{\}`"):
        run(config, "list")


def test_ages_and_times():
    """An age is from now; an ISO time without zone is UTC."""
    assert [AT + timedelta(minutes=15), AT + timedelta(days=30)] == [until("15m", AT), until("30d", AT)]
    assert [datetime(2027, 1, 1, tzinfo=UTC)] * 2 == [until("2027-01-01", AT), until("2027-01-01T00:00:00Z", AT)]
    assert [timedelta(0), timedelta(hours=24)] == [span("0s", AT), span("24h", AT)]
    for wrong in ("", "x", "3", "2027-01-01"):
        with pytest.raises(typer.BadParameter):
            span(wrong, AT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1000 requests/day", KeyQuota("requests", Decimal(1000), "day")),
        (" 5.50 usd / month ", KeyQuota("usd", Decimal("5.50"), "month")),
        ("4 concurrent", KeyQuota("concurrent", Decimal(4))),
    ],
)
def test_quotas_are_written_as_they_are_said(text, expected):
    """Amount, unit, window."""
    assert (expected,) == new_key({"name": "a", "quotas": [quota(text)]}).scopes(Scopes()).quotas


@pytest.mark.parametrize(
    "text", ["", "5", "usd/day", "5 usd/year", "5 eur/day", "-5 usd/day", "5 usd", "1.2.3 usd/day"]
)
def test_what_is_no_quota_is_refused(text):
    """By the command line, before anything is opened."""
    with pytest.raises(typer.BadParameter):
        new_key({"name": "a", "quotas": [quota(text)]})
