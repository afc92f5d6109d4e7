"""Candidates of a real gateway, over models that answer, or fail."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import ExitStack

import httpx2
import pytest

from gateway.app import create_app
from gateway.application import Gateway
from gateway.cli.promotion import _status
from gateway.config.files import read_files
from gateway.promotion.machine import served
from gateway.store.sqlite import SQLiteStore
from tests.conftest import Running, write_config
from tests.processes import ROOT, started
from tests.redis_server import redis_server
from tests.upstream import running

STAGES = [{"canary": 0.2}, {"ramp": 0.5}, "live"]
ADMIN = "an-admin-key-of-some-length"


def policies(model="other", stages=STAGES, **promotion):
    """Return a policy that asks `good`, and a candidate that asks `model`."""
    rules = {"candidate": "next", "stages": stages, "min_requests": 5, "tests": {"errors": {"higher_by": 0.3}}}
    live = {"pool": ["good"], "router": {"type": "fixed", "model": "good"}, "promotion": {**rules, **promotion}}
    return {
        "auto": live,
        "next": {"pool": [model], "router": {"type": "fixed", "model": model}, "limits": {"attempts": 1}},
    }


@pytest.fixture(scope="module", autouse=True)
def client():
    """Keep connections: hundreds of requests are asked one after the other."""
    with httpx2.Client(timeout=20) as CLIENTS["one"]:
        yield


CLIENTS: dict[str, httpx2.Client] = {}


def ask(url, number):
    body = {"model": "auto", "messages": [{"role": "user", "content": f"Say hello, {number}."}]}
    return CLIENTS["one"].post(f"{url}/v1/chat/completions", json=body)


def asked_until(running, wanted, most=1500):
    """Ask until the candidate is in a state; return the answers."""
    answers = []
    while running.gateway.promotions.progresses["auto"].standing.state != wanted:
        answers.append(ask(running.url, len(answers)))
        assert len(answers) < most
    return answers


def moves(running):
    return [(move.before, move.after, move.by) for move in running.gateway.log.moves("auto")]


def steered(running, **wish):
    """Move the candidate by the admin API."""
    url, headers = f"{running.url}/admin/promotions/auto", {"authorization": f"Bearer {ADMIN}"}
    return httpx2.post(url, json=wish, headers=headers, timeout=20)


def cli(path, *words):
    """Run a command on a configuration; return what it printed."""
    command = [sys.executable, "-m", "gateway", *words, "--config", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def waited_for(holds, seconds=10.0):
    """Return how many seconds it took until something held."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() < began + seconds
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_candidate_whose_model_fails_is_rolled_back(serve):
    """Within a moment of enough failures; from then on the live version serves alone, and the log says why."""
    running = serve(policies("status-500"))
    asked_until(running, "rolled_back")
    after = [ask(running.url, f"after {n}") for n in range(20)]

    assert [200] * 20 == [answer.status_code for answer in after]
    assert [("none", "canary", "configuration"), ("canary", "rolled_back", "test")] == moves(running)
    (_, back) = running.gateway.log.moves("auto")
    assert "worse: errors" == back.why
    assert 1.0 == back.evidence["tests"]["errors"]["candidate"]
    assert 0 < back.evidence["tests"]["errors"]["interval"][0]
    assert {"live"} == {answer.headers["x-pointsman-version"] for answer in after}
    metrics = CLIENTS["one"].get(f"{running.url}/metrics").text
    assert 'pointsman_promotion_state{policy="auto",state="rolled_back"} 1.0' in metrics
    assert 'pointsman_promotion_moves_total{by="test",policy="auto",state="rolled_back"} 1.0' in metrics


def test_a_good_candidate_goes_live(serve):
    """Stage by stage, and what it serves is logged as its own version's."""
    running = serve(policies())
    asked_until(running, "live")
    answer = ask(running.url, "the last one")
    last = running.logged()[-1].decision

    assert ["canary", "ramp", "live"] == [after for _, after, _ in moves(running)]
    assert "other" == answer.headers["x-pointsman-model"]
    assert answer.headers["x-pointsman-version"].startswith("next@")
    assert ("auto", "candidate") == (last.policy, last.trace["promotion"]["side"])
    assert last.policy_digest == running.gateway.runtime.policies.policies["next"].digest


def test_who_watches_serves_nothing(serve):
    """In shadow the candidate decides on every request; the clients notice nothing of it."""
    running = serve(policies("status-500", ["shadow"]))
    answers = [ask(running.url, n) for n in range(10)]
    notes = [event.decision.trace["promotion"] for event in running.logged()]

    assert {200} == {answer.status_code for answer in answers}
    assert {"status-500"} == {note["other"]["chosen"] for note in notes}
    assert {("shadow", "live", 0.0)} == {(note["state"], note["side"], note["covered"]) for note in notes}


def test_a_candidate_that_refuses_is_rolled_back(serve):
    """What no log has counts too: a client that is refused was not answered."""
    written = policies(min_requests=10_000)
    written["next"]["rules"] = [{"name": "none", "refuse": "Nobody answers this."}]
    running = serve(written)
    answers = asked_until(running, "rolled_back")

    assert {200, 403} == {answer.status_code for answer in answers}


def test_a_session_stays_on_its_side(serve):
    """And as the share rises, nobody goes back."""
    running = serve(policies(stages=[{"canary": 0.3}, {"ramp": 0.6}], min_requests=10_000), server={"admin_key": ADMIN})

    def sides():
        return [ask(running.url, n % 40).headers["x-pointsman-version"] for n in range(80)]

    first = sides()
    assert 200 == steered(running, to="ramp", by="ann", why="it looks good").status_code
    second = sides()

    assert first[:40] == first[40:]
    assert second[:40] == second[40:]
    assert {"live"} < set(first)
    assert all(new == old for old, new in zip(first, second, strict=True) if old != "live")
    assert second.count("live") < first.count("live")
    assert [("none", "canary", "configuration"), ("canary", "ramp", "ann")] == moves(running)


def test_an_operator_who_asks_for_nonsense_is_told(serve):
    """What cannot be done says so, and needs the admin key."""
    running = serve(policies(min_requests=10_000), server={"admin_key": ADMIN})

    assert "cannot_move" == steered(running, to="shadow").json()["error"]["code"]
    assert "rolled_back" == steered(running, to="rolled_back").json()["state"]
    assert "cannot_move" == steered(running, to="rolled_back").json()["error"]["code"]
    assert "canary" == steered(running).json()["state"]
    assert 401 == httpx2.get(f"{running.url}/admin/promotions").status_code


def test_replicas_see_and_move_as_one(tmp_path, upstream):
    """What each has served adds up, and where one goes the other follows; the move is in the log of one."""
    with redis_server(tmp_path) as redis, ExitStack() as stack:
        replicas = []
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
            sections = {"redis": {"url": redis.url}, "server": {"admin_key": ADMIN}}
            written = policies(stages=[{"canary": 0.5}], min_requests=10_000)
            gateway = Gateway(write_config(tmp_path / name, upstream.url, written, **sections), {})
            replicas.append(Running(stack.enter_context(running(create_app(gateway))), gateway, tmp_path / name))
        for n in range(20):
            ask(replicas[n % 2].url, n)
        counted = [one.gateway.promotions.progresses["auto"] for one in replicas]
        waited_for(lambda: all(served(one.sums) == 20 for one in counted))
        steered(replicas[0], to="rolled_back")
        took = waited_for(lambda: counted[1].standing.state == "rolled_back")
        versions = {ask(replicas[1].url, n).headers["x-pointsman-version"] for n in range(20)}
        logged = [moves(one) for one in replicas]

    assert took < 2
    assert {"live"} == versions
    assert [("canary", "rolled_back", "operator")] == [one for log in logged for one in log if one[2] == "operator"]
    assert 2 == sum(map(len, logged))


def test_a_restart_resumes(tmp_path, upstream):
    """State and evidence are those of before; what was seen counts once."""
    path = write_config(tmp_path, upstream.url, policies(stages=[{"canary": 0.5}], min_requests=1000))

    def status():
        (found,) = asyncio.run(_status(read_files(path, {}), "auto"))
        return {name: value for name, value in found.items() if name != "tests"}, found["tests"]["errors"]

    with started(path) as process:
        for n in range(30):
            ask(process.url, n)
        time.sleep(0.3)  # so that the last outcome is on disk: a kill may lose what nobody was told of
        process.popen.kill()
        process.ended()
    before = status()
    with started(path) as process:
        after = status()
        for n in range(30, 40):
            ask(process.url, n)
        waited_for(lambda: 40 == status()[0]["requests"])

    assert 30 == before[0]["requests"]
    assert before == after
    assert "auto: next@" in (said := cli(path, "status").stdout)
    assert "is canary, 50% of the requests" in said


def test_an_operator_rolls_back_while_it_serves(tmp_path, upstream):
    """The command writes into the log, and the gateway follows within two seconds; what cannot be is told."""
    path = write_config(tmp_path, upstream.url, policies(stages=[{"canary": 0.99}], min_requests=10_000))
    with started(path) as process:
        assert "other" == ask(process.url, 1).headers["x-pointsman-model"]
        done = cli(path, "rollback", "auto", "--why", "complaints")
        took = waited_for(lambda: "good" == ask(process.url, 1).headers["x-pointsman-model"])
        again = cli(path, "rollback", "auto")
        promoted = cli(path, "promote", "auto")
        back = waited_for(lambda: "other" == ask(process.url, 1).headers["x-pointsman-model"])

    assert "canary -> rolled_back" in done.stdout, done.stderr
    assert max(took, back) < 2
    assert (1, True) == (again.returncode, "was rolled back already" in again.stderr)
    assert "rolled_back -> canary" in promoted.stdout
    assert 2 == sum(by.startswith("operator ") for by in _logged_by(path))


def _logged_by(path):
    store = SQLiteStore.open(path.parent / "log.db", read_only=True)
    try:
        return [move.by for move in store.moves("auto")]
    finally:
        store.close()
