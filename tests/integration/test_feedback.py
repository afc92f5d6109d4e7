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
        ({"thumb": "up"}, ("binary", 1.0)),
        ({"thumb": "down"}, ("binary", 0.0)),
        ({"binary": True}, ("binary", 1.0)),
        ({"binary": False}, ("binary", 0.0)),
        ({"preference": {"preferred": "good", "over": "other"}}, ("preference", 1.0)),
        ({"label": "rude"}, ("label", None)),
        ({"implicit": {"name": "retry", "value": 0.2}}, ("implicit", 0.2)),
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
        {"decision_id": str(uuid4()), "binary": "yes"},
        {"decision_id": str(uuid4()), "implicit": {"name": "retry"}},
        {"score": 1},
        {"token": "short", "score": 1},
    ],
)
def test_bad_feedback_is_refused(running, body):
    """400 in OpenAI's shape."""
    response = send(running, **body)

    assert (400, "invalid_request_error") == (response.status_code, response.json()["error"]["type"])
    assert [] == stored(running)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 202),
        ("Application/JSON; charset=utf-8", 202),
        ("text/plain", 400),
        ("text/plain; application/json", 400),
        ("application/x-www-form-urlencoded", 400),
        (None, 400),
    ],
)
def test_web_pages_send_feedback_as_json(running, kind, status):
    """A web page may have any browser send a text anywhere: no such text is feedback."""
    body = f'{{"decision_id": "{uuid4()}", "score": 1}}'.encode()
    headers = {"origin": "http://page.example"} | ({"content-type": kind} if kind else {})
    answer = httpx2.post(f"{running.url}/v1/feedback", content=body, headers=headers)

    assert status == answer.status_code
    assert (status == 202) == bool(stored(running))


def test_a_list_is_several_pieces(running):
    """Their receipts come in their order; a list that is sent again is stored once, also under a key."""
    ids = [str(uuid4()) for _ in range(3)]
    pieces = [{"decision_id": one, "score": 0.5} for one in ids]
    url, key = f"{running.url}/v1/feedback", {"idempotency-key": "batch-1"}
    answers = [httpx2.post(url, json=pieces, headers=key) for _ in range(2)]

    assert [202, 202] == [answer.status_code for answer in answers]
    assert ids == [one["decision_id"] for one in answers[0].json()["data"]]
    assert 3 == len(stored(running))


def test_a_list_is_refused_whole(running):
    """The first piece that is wrong is named; nothing is stored."""
    pieces = [{"decision_id": str(uuid4()), "score": score} for score in (0.5, 2)]
    answer = httpx2.post(f"{running.url}/v1/feedback", json=pieces)

    assert (400, "1.score") == (answer.status_code, answer.json()["error"]["param"])
    assert [] == stored(running)


def test_feedback_is_shown_and_deleted(running):
    """What was stored can be looked at, and deleted; then it is gone, and does not come back by itself."""
    decision_id = str(uuid4())
    body = {"decision_id": decision_id, "label": "rude", "comment": "Grobian"}
    url = f"{running.url}/v1/feedback/{send(running, **body).json()['id']}"
    shown = httpx2.get(url).json()
    deleted = httpx2.delete(url)

    assert ("label", "rude", None, "Grobian") == (shown["kind"], shown["name"], shown["value"], shown["comment"])
    assert (200, True) == (deleted.status_code, deleted.json()["deleted"])
    assert [404, 404] == [httpx2.get(url).status_code, httpx2.delete(url).status_code]
    again = send(running, **body)
    assert (409, "feedback_deleted") == (again.status_code, again.json()["error"]["code"])
    assert 202 == send(running, {"idempotency-key": "anew"}, **body).status_code


def test_all_feedback_on_a_decision_is_deleted(running):
    """By the decision's id; where there is none, it says so."""
    decision_id = str(uuid4())
    for thumb in ("up", "down"):
        send(running, decision_id=decision_id, thumb=thumb)
    answers = [httpx2.delete(f"{running.url}/v1/feedback", params={"decision_id": decision_id}) for _ in range(2)]

    assert [200, 404] == [answer.status_code for answer in answers]
    assert (2, "feedback_not_found") == (len(answers[0].json()["data"]), answers[1].json()["error"]["code"])
    assert [] == stored(running)
    assert "pointsman_feedback_deleted_total 2.0" in httpx2.get(f"{running.url}/metrics").text


def test_a_path_says_all_that_may_be_done_with_it(running):
    """405: what is allowed is what any route of the path takes."""
    answers = [httpx2.put(f"{running.url}/v1/feedback{rest}") for rest in ("", "/fb_1")]

    assert ["DELETE, POST", "DELETE, GET"] == [answer.headers["allow"] for answer in answers]
