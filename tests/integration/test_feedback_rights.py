from __future__ import annotations

import time
from uuid import UUID, uuid4

import httpx2
import openai
import pytest

from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.feedback.tokens import Signer
from tests.conftest import write_config

AUTO = {"auto": {"pool": ["good", "other"], "router": {"type": "random"}}}
CALLERS = {
    "app": {"key": "key-of-the-app-0123"},
    "rival": {"key": "key-of-the-rival-01"},
    "anna": {"key": "key-of-anna-0123456", "role": "grader"},
}
ADMIN = "key-of-the-admin-0123"
SECRET, OLD = "a-secret-of-the-operator", "a-secret-from-before"
ASK = {"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}


def sections(**feedback):
    """Return a configuration in which callers are told apart."""
    return {"callers": CALLERS, "server": {"admin_key": ADMIN}, "feedback": feedback}


def bearer(name):
    """Return the headers that a caller sends."""
    key = ADMIN if name == "admin" else CALLERS[name]["key"]
    return {"authorization": f"Bearer {key}"}


def ask(running, name="app", headers=None, **members):
    """Ask as a caller; return the answer."""
    sent = bearer(name) | (headers or {})
    answer = httpx2.post(f"{running.url}/v1/chat/completions", json={**ASK, **members}, headers=sent, timeout=20)
    assert 200 == answer.status_code, answer.text
    return answer


def rate(running, name, **body):
    """Rate as a caller; return the status, and the code of the error."""
    answer = httpx2.post(f"{running.url}/v1/feedback", json=body, headers=bearer(name), timeout=20)
    return answer.status_code, answer.json().get("error", {}).get("code")


def feedback(running, count=1):
    """Return all feedback in the log, once there is so much of it."""
    for _ in range(200):
        found = [one for event in running.logged() for one in event.feedback]
        if len(found) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError(f"there are {len(found)} pieces of feedback, not {count}")


def decision_of(answer):
    """Return the id of an answer's decision."""
    return answer.headers["x-pointsman-decision-id"]


def test_a_caller_rates_its_own_answers(serve):
    """And no other's, at once or later; graders and the admin rate all. Who said so is in the log."""
    running = serve(AUTO, **sections())
    answer = ask(running)
    body = {"decision_id": decision_of(answer), "score": 0.5}

    assert (403, "feedback_not_permitted") == rate(running, "rival", **body)
    assert [(202, None)] * 3 == [rate(running, name, **body) for name in ("app", "anna", "admin")]
    assert "x-pointsman-feedback-token" not in answer.headers
    (event,) = running.logged()
    assert "callers.app" == event.decision.caller
    assert {"callers.app", "trusted:callers.anna", "trusted:admin"} == {one.caller for one in event.feedback}


def test_only_the_holder_of_an_answer_may_rate_it(serve):
    """With tokens required, its token is needed, from whom it was given to; the grader needs none."""
    running = serve(AUTO, **sections(secret=SECRET, require_token=True))
    answer, other = ask(running), ask(running)
    token = answer.headers["x-pointsman-feedback-token"]
    forged = ("A" if token[-6] != "A" else "B").join([token[:-6], token[-5:]])

    assert (403, "feedback_token_required") == rate(running, "app", decision_id=decision_of(answer), score=1)
    assert (403, "invalid_feedback_token") == rate(running, "app", token=forged, score=1)
    assert (403, "invalid_feedback_token") == rate(running, "rival", token=token, score=1)
    assert (403, "invalid_feedback_token") == rate(running, "app", token=token, decision_id=decision_of(other), score=1)
    assert (202, None) == rate(running, "app", token=token, score=1)
    assert (202, None) == rate(running, "anna", decision_id=decision_of(answer), score=1)
    assert 2 == len(feedback(running, 2))


def test_streams_carry_their_token(serve):
    """In the headers, which come before the first event."""
    running = serve(AUTO, **sections(secret=SECRET, require_token=True))
    token = ask(running, stream=True).headers["x-pointsman-feedback-token"]

    assert (202, None) == rate(running, "app", token=token, thumb="up")


def test_a_secret_is_rotated_while_the_gateway_runs(serve):
    """What the old one signed is good as long as it is listed; no secret is ever shown."""
    running = serve(AUTO, **sections(secret=[SECRET, OLD], require_token=True))
    decision_id = decision_of(ask(running))
    old = Signer([OLD]).sign(UUID(decision_id), "callers.app")

    assert (202, None) == rate(running, "app", token=old, score=1)
    assert SECRET not in repr(running.gateway.runtime.config)
    assert OLD not in str(running.gateway.runtime.config.feedback)


@pytest.mark.parametrize(
    ("body", "param"),
    [({"implicit": {"name": "retry", "value": 0.1}}, "implicit"), ({"score": 1, "source": "grader"}, "source")],
)
def test_callers_speak_for_themselves_only(serve, body, param):
    """What answers show, and a source that is trusted more, are the grader's to claim."""
    running = serve(AUTO, **sections(sources={"user": 0.5, "grader": 1.0}))
    decision_id = decision_of(ask(running))
    answer = httpx2.post(
        f"{running.url}/v1/feedback", json={"decision_id": decision_id, **body}, headers=bearer("app"), timeout=20
    )

    assert (403, param) == (answer.status_code, answer.json()["error"]["param"])
    assert (202, None) == rate(running, "anna", decision_id=decision_id, **body)


def test_feedback_is_its_givers_to_delete(serve):
    """Others are told that there is none; the admin deletes all."""
    running = serve(AUTO, **sections())
    decision_id = decision_of(ask(running))
    url = f"{running.url}/v1/feedback"
    for name in ("app", "anna"):
        rate(running, name, decision_id=decision_id, score=0)
    of_anna = next(one.id for one in feedback(running, 2) if "anna" in one.caller)

    assert 404 == httpx2.get(f"{url}/{of_anna}", headers=bearer("app")).status_code
    assert 404 == httpx2.delete(f"{url}/{of_anna}", headers=bearer("app")).status_code
    own = httpx2.delete(url, params={"decision_id": decision_id}, headers=bearer("app"))
    rest = httpx2.delete(url, params={"decision_id": decision_id}, headers=bearer("admin"))
    assert [1, 1] == [len(answer.json()["data"]) for answer in (own, rest)]
    assert 401 == httpx2.delete(url, params={"decision_id": decision_id}).status_code


def test_feedback_overtakes_its_decision(serve):
    """A caller may rate an answer at once, and long before: what nobody knows is kept until it is known."""
    running = serve(AUTO, **sections())
    statuses = [rate(running, "app", decision_id=decision_of(ask(running)), thumb="up") for _ in range(20)]

    assert [(202, None)] * 20 == statuses
    assert (202, None) == rate(running, "rival", decision_id=str(uuid4()), thumb="down")
    assert 20 == len(feedback(running, 20))


def test_the_sdk_rates_the_last_answer_with_the_next_request(serve, upstream):
    """In the metadata or in a header; neither is sent on, and what is wrong fails no request."""
    running = serve(AUTO, **sections(secret=SECRET, require_token=True))
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key=CALLERS["app"]["key"], max_retries=0)

    def say(**members):
        raw = client.chat.completions.with_raw_response.create(
            model="auto", messages=[{"role": "user", "content": "Say hello."}], **members
        )
        assert raw.parse().choices
        return raw.headers

    token = say()["x-pointsman-feedback-token"]
    token = say(metadata={"pointsman_feedback": f"{token}:down", "team": "a"})["x-pointsman-feedback-token"]
    heard = say(extra_headers={"x-pointsman-feedback": f"{token}; score=0.75, {token}; label=rude"})
    wrong = say(
        extra_headers={"x-pointsman-feedback": "nonsense"}, metadata={"pointsman_feedback": f"{token}:sideways"}
    )
    forged = say(metadata={"pointsman_feedback": f"{'B' + token[1:]}:up"})

    said = [(one.kind, one.value) for one in feedback(running, 3)]
    assert ("binary", 0.0) == said[0]
    assert {("score", 0.75), ("label", None)} == set(said[1:])  # said at once: neither comes first
    assert "x-pointsman-feedback-refused" not in heard
    assert "decision_id is wrong; it has a score that is no number" == wrong["x-pointsman-feedback-refused"]
    assert "The token" in forged["x-pointsman-feedback-refused"]
    assert [{"team": "a"}] == [one["metadata"] for one in upstream.requests if "metadata" in one]
    metrics = httpx2.get(f"{running.url}/metrics").text
    assert 'pointsman_feedback_refused_total{where="header"} 1.0' in metrics
    assert 'pointsman_feedback_refused_total{where="metadata"} 2.0' in metrics


def test_what_comes_along_is_taken_only_for_ones_own(serve):
    """Whose the answer was turns out after the request went on: it is counted, and not stored."""
    running = serve(AUTO, **sections())
    decision_id = decision_of(ask(running))
    ask(running, "rival", {"x-pointsman-feedback": f"{decision_id}; down"})
    ask(running, "app", {"x-pointsman-feedback": f"{decision_id}; up"})

    assert [("callers.app", 1.0)] == [(one.caller, one.value) for one in feedback(running)]
    for _ in range(100):
        if 'feedback_refused_total{where="header"} 1.0' in httpx2.get(f"{running.url}/metrics").text:
            break
        time.sleep(0.02)
    else:
        raise AssertionError("it was not counted")


def test_tokens_that_nobody_has_cannot_be_required(tmp_path, upstream):
    """The configuration is refused, with file and line."""
    path = write_config(tmp_path, upstream.url, AUTO, feedback={"require_token": True})

    with pytest.raises(ConfigError, match=r"gateway\.yaml:\d+.*set feedback\.secret"):
        read_files(path, {})
