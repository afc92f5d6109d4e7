"""`pointsman replay`, as users run it: on the log of a gateway that has served."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx2
import pytest
import yaml
from typer.testing import CliRunner

from gateway.cli.main import USER_ERRORS, app
from tests.conftest import PRICE, write_config
from tests.processes import ROOT, started

EVEN = {"type": "weighted", "weights": {"good": 1, "other": 1}}
ASKED = 300


def write_policy(folder, name, **policy):
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"name": "auto", "pool": ["good", "other"], **policy}))
    return path


@pytest.fixture(scope="module")
def served(tmp_path_factory, shared_upstream):
    """Serve requests with a gateway that draws evenly of two models, one ten times as dear, and rate the answers."""
    folder = tmp_path_factory.mktemp("served")
    dear = {"input": 10, "output": 20}
    path = write_config(folder, shared_upstream.url, {"auto": {"pool": ["good", "other"], "router": EVEN}})
    config = yaml.safe_load(path.read_text())
    config["models"]["other"] = {"provider": "up", "name": "other", "price": dear}
    config["models"]["good"] = {"provider": "up", "name": "good", "price": PRICE}
    path.write_text(yaml.safe_dump(config))
    with started(path) as process, httpx2.Client(base_url=process.url, timeout=30) as client:
        for number in range(ASKED):
            messages = [{"role": "user", "content": f"Count to {number}."}]
            answer = client.post("/v1/chat/completions", json={"model": "auto", "messages": messages})
            assert 200 == answer.status_code
            decision = answer.headers["x-pointsman-decision-id"]
            dear_one = answer.headers["x-pointsman-model"] == "other"
            worth = {"decision_id": decision, "score": 0.9 if dear_one else 0.7}
            assert 202 == client.post("/v1/feedback", json=worth).status_code
        process.popen.terminate()
        assert 0 == process.ended()
    return folder


def replay(folder, *arguments):
    """Run the command in a folder; return its status, what it says, and what is wrong."""
    command = [
        sys.executable,
        "-m",
        "gateway",
        "replay",
        "--config",
        str(folder / "gateway.yaml"),
        *map(str, arguments),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    return ended.returncode, ended.stdout, ended.stderr


def test_a_policy_is_replayed_on_what_was_served(served, tmp_path):
    """Nine in ten for the cheap one: a fifth of the cost is left, and a tenth of the gap in quality."""
    policy = write_policy(served, "cheap", router={"type": "weighted", "weights": {"good": 9, "other": 1}})
    files = ["--html", tmp_path / "out" / "report.html", "--json", tmp_path / "report.json"]
    required = "cost<-50% and quality>-15% and quality>0.6 and errors<5pt"
    status, said, wrong = replay(served, "--policy", policy, *files, "--require", required)

    assert 0 == status, said + wrong
    assert "required cost<-50%: met" in said
    document = json.loads((tmp_path / "report.json").read_text())
    assert (ASKED, ASKED, ASKED) == tuple(document["requests"][key] for key in ("logged", "told", "rated"))
    quality, cost = (document["answers"][name]["estimates"]["dr"] for name in ("quality", "cost"))
    assert 0.72 == pytest.approx(quality["policy"]["value"], abs=0.01)
    assert (0.9 + 0.1 * 10) / 5.5 - 1 == pytest.approx(cost["relative"]["value"], abs=0.05)
    assert "met" == document["requirement"]["status"]
    assert "Replay report" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("router", "required", "status", "said"),
    [
        ({"type": "fixed", "model": "good"}, "cost<-10% and quality>-1%", 3, "not met"),
        ({"type": "fixed", "model": "slow"}, "cost<-10%", 4, "the log never tried slow"),
        ({"type": "fixed", "model": "good"}, "cost<<5", 1, "is no bound"),
    ],
)
def test_the_status_is_for_a_gate(served, router, required, status, said):
    """Met, not met, no evidence, and what a user can mend."""
    policy = write_policy(served, "other-policy", router=router, pool=["good", "other", "slow"])
    ended, out, wrong = replay(served, "--policy", policy, "--require", required)

    assert status == ended, out + wrong
    assert said in " ".join((out + wrong).split())
    assert "Traceback" not in wrong


def within(folder, *arguments):
    """Run the command in this process."""
    return CliRunner().invoke(app, ["replay", "--config", str(folder / "gateway.yaml"), *map(str, arguments)])


def test_the_log_may_be_named_as_a_file(served, tmp_path):
    """By itself, or by the gateway's file that names it."""
    policy, documents = write_policy(served, "same", router=EVEN), []
    for log in ("log.db", "gateway.yaml"):
        written = tmp_path / f"{log}.json"
        assert (
            0 == within(served, "--policy", policy, "--log", served / log, "--json", written, "--last", 200).exit_code
        )
        documents.append(json.loads(written.read_text()))

    assert [200, 200] == [one["requests"]["logged"] for one in documents]
    assert documents[0]["answers"] == documents[1]["answers"]


def test_numbers_alone_go_to_standard_output(served):
    """What else is said goes to standard error."""
    said = within(served, "--policy", write_policy(served, "same", router=EVEN), "--json", "-")

    assert "policy.replay" == json.loads(said.stdout)["object"]
    assert "estimated by dr" in said.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--log", "/no/log.db"), "does not exist"), (("--policy-name", "nobody"), "no request under 'nobody'")],
)
def test_what_a_user_can_mend_is_said(served, options, said):
    """The command line says it in words, with status 1."""
    error = within(served, "--policy", write_policy(served, "same", router=EVEN), *options).exception

    assert isinstance(error, USER_ERRORS)
    assert said in str(error)


@pytest.mark.parametrize("option", [("--estimator", "magic"), ("--clusters", "moon"), ("--since", "yesterday")])
def test_a_wrong_option_is_refused(served, option):
    """As every command does."""
    assert 2 == within(served, "--policy", write_policy(served, "same", router=EVEN), *option).exit_code
