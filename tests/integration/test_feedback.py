from __future__ import annotations

import sqlite3
from uuid import uuid4

import httpx2
import pytest

AUTO = {"auto": {"pool": ["good", "other"], "router": {"type": "random"}}}


@pytest.fixture
def running(serve):
    return serve(AUTO)


def send(running, headers=None, **body):
    return httpx2.post(f"{running.url}/v1/feedback", json=body, headers=headers or {}, timeout=10)


def stored(running) -> list[tuple]:
    """Read the database as another process would."""
    with sqlite3.connect(running.folder / "log.db") as connection:
        return connection.execute("select kind, value from feedback").fetchall()


@pytest.mark.parametrize(
    ("body", "row"),
    [
        ({"score": 0.25}, ("score", 0.25)),
        ({"thumb": "up"}, ("thumb", 1.0)),
        ({"thumb": "down"}, ("thumb", 0.0)),
        ({"preference": {"preferred": "good", "over": "other"}}, ("preference", 1.0)),
    ],
)
def test_feedback_is_on_disk_when_it_is_acknowledged(running, body, row):
    """A score, a thumb or a preference; 202 means that it survives."""
    response = send(running, decision_id=str(uuid4()), **body)

    assert (202, "stored") == (response.status_code, response.json()["status"])
    assert [row] == stored(running)


def test_feedback_joins_its_decision(running):
    """What the answer's header named is what the feedback is about."""
    chat = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
    answered = httpx2.post(f"{running.url}/v1/chat/completions", json=chat)
    send(running, decision_id=answered.headers["x-pointsman-decision-id"], score=1)

    (logged,) = running.logged()
    assert [1.0] == [feedback.value for feedback in logged.feedback]


def test_repeats_count_once(running):
    """The same feedback sent again is acknowledged alike and stored once; other feedback is stored beside."""
    decision_id = str(uuid4())
    first, again = (send(running, decision_id=decision_id, thumb="up") for _ in range(2))
    send(running, decision_id=decision_id, thumb="up", source="judge")

    assert first.json() == again.json()
    assert 2 == len(stored(running))


def test_an_idempotency_key_is_for_one_feedback(running):
    """A repeat under its key is fine; the key with other content is a conflict."""
    decision_id, key = str(uuid4()), {"idempotency-key": "k1"}
    assert [202, 202, 409] == [
        send(running, key, decision_id=decision_id, score=score).status_code for score in (0.5, 0.5, 0.6)
    ]
    assert [("score", 0.5)] == stored(running)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision_id": "x", "score": 1},
        {"decision_id": str(uuid4())},
        {"decision_id": str(uuid4()), "score": 1, "thumb": "up"},
        {"decision_id": str(uuid4()), "score": 1.5},
        {"decision_id": str(uuid4()), "score": "1"},
        {"decision_id": str(uuid4()), "thumb": "sideways"},
        {"decision_id": str(uuid4()), "score": 1, "unknown": 1},
    ],
)
def test_bad_feedback_is_refused(running, body):
    """400 in OpenAI's shape."""
    response = send(running, **body)

    assert (400, "invalid_request_error") == (response.status_code, response.json()["error"]["type"])
    assert [] == stored(running)
