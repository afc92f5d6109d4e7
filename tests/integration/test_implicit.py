"""Implicit feedback, from what callers do at a gateway that serves."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.redis_server import redis_server

POLICY = {"pool": ["good"], "router": {"type": "fixed", "model": "good"}}
#: Nobody waits in these tests, so that a program may be taken for a person.
EAGER = {"pause_s": 0, "signals": {"continued": None}}
TEXT = "The Amazon is the largest river of the world by the water that it carries, and among the longest of all."


@pytest.fixture
def start(serve, played):
    def start(implicit=EAGER, policies=None, **sections):
        known = played.sections("good", "other") | sections
        return serve(policies or {"p": POLICY}, implicit=implicit, **known)

    return start


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str | None, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def ask(running, *messages, headers=None, **fields):
    """Ask as one user, whose every message is `messages`; return the decision's id."""
    body = {"model": "p", "user": "ann", "messages": list(messages) or [user("Which river is the largest?")], **fields}
    response = httpx2.post(f"{running.url}/v1/chat/completions", json=body, headers=headers or {}, timeout=20)
    assert response.status_code in (200, 500), response.text
    assert response.text
    return response.headers["x-pointsman-decision-id"]


def seen(running):
    """Return, for each decision, what was seen of its answer, once nothing more is being looked at."""
    watch = running.gateway._listening._watch
    deadline = time.monotonic() + 10
    while watch is not None and (watch._notes or watch._under_way or not watch._idle.is_set()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    found = {}
    for event in running.logged():
        found[str(event.decision.id)] = {one.name: one.value for one in event.feedback}
    return found


def all_seen(running):
    return [signal for signals in seen(running).values() for signal in signals]


@pytest.mark.parametrize("stream", [False, True])
def test_the_same_request_again_tells_against_its_answer(start, stream):
    """The earlier decision gets the feedback, and the later one none."""
    running = start()
    first, second = ask(running, stream=stream), ask(running, stream=stream)

    assert {first: {"retry": 0.2}, second: {}} == seen(running)


def test_feedback_is_complete(start):
    """Its kind, its source, and whose it is; it is counted, and it is stored once."""
    running = start(callers={"ann": {"key": "ann-key"}})
    for _ in range(3):
        ask(running, headers={"authorization": "Bearer ann-key"})
    seen(running)
    events = running.logged()
    (told,) = events[0].feedback

    assert ("implicit", "implicit", "retry") == (told.kind, told.source, told.name)
    assert told.caller == events[0].decision.caller != ""
    assert 2 == running.gateway.metrics.implicit_feedback.labels("retry")._value.get()


def test_who_asks_all_day_is_a_program(start):
    """Only the first repetitions tell anything."""
    running = start()
    for _ in range(6):
        ask(running)

    assert 2 == len(all_seen(running))


def test_who_cannot_have_read_the_answer_is_a_program(start):
    """Asked again within the pause, a request is a sample, now and later."""
    running = start({"pause_s": 0.4, "signals": {"continued": None}})
    ask(running)
    ask(running)
    time.sleep(0.5)
    ask(running)

    assert [] == all_seen(running)


def test_samples_that_are_drawn_at_once_tell_nothing(start, played):
    """Nor does asking for several choices."""
    played.plays["good"] = lambda _: time.sleep(0.1) or "Hello."
    running = start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ask(running), range(4)))

    assert [] == all_seen(running)


def test_a_repetition_after_a_failure_tells_nothing(start, played):
    """Whether the endpoint failed, or the client's library says that it repeats by itself."""
    running = start()
    played.plays["good"] = lambda _: 500
    assert ask(running)
    played.plays.clear()
    ask(running)
    ask(running, headers={"x-stainless-retry-count": "1"})

    assert [] == all_seen(running)


def test_an_answer_from_the_cache_tells_nothing(start):
    """Who asks again and is answered from the cache is no decision, and no complaint."""
    running = start(policies={"p": {**POLICY, "cache": {}}})
    ask(running)
    time.sleep(0.2)
    ask(running)

    assert [{}] == list(seen(running).values())


def test_others_who_say_the_same_are_not_taken_for_one(start):
    """A greeting of two users, of two keys, or of a gateway that does not tell them apart."""
    running = start(callers={name: {"key": f"{name}-key"} for name in ("ann", "bob")})
    shown = {name: {"authorization": f"Bearer {name}-key"} for name in ("ann", "bob")}
    for headers in (shown["ann"], shown["bob"]):
        ask(running, user("Good morning!"), headers=headers)
        ask(running, user("Good evening!"), headers=headers, user=headers["authorization"])
        ask(running, user("Hello!"), headers=shown["ann"], user=None)

    assert [] == all_seen(running)


def test_another_question_beside_the_same_words_is_none(start):
    """Other tools, another form of the answer, another seed, another model."""
    running = start()
    ask(running)
    for fields in ({"seed": 1}, {"response_format": {"type": "text"}}, {"model": "other"}):
        ask(running, **fields)

    assert [] == all_seen(running)


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_whose_last_answer_is_dropped(start, stream):
    """It is asked again from its last user turn."""
    running = start()
    ask(running, user("Hello."), stream=stream)
    second = ask(running, user("Hello."), assistant("Hello."), user("And now?"), stream=stream)
    third = ask(running, user("Hello."), assistant("Hello."), user("And now?"), stream=stream)

    found = seen(running)
    assert ({"regenerate": 0.2}, {}) == (found[second], found[third])


def test_a_loop_of_tools_that_is_begun_anew(start):
    """It tells against the answer that the loop had come to, and not against the first step."""
    running = start()
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    loop = [
        user("Look it up."),
        assistant(None, tool_calls=[call]),
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    ]
    first, last, anew = ask(running, loop[0]), ask(running, *loop), ask(running, loop[0])

    found = seen(running)
    assert ({}, {"regenerate": 0.2}, {}) == (found[first], found[last], found[anew])


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_comes_back_changed(start, played, stream):
    """How much of it is left says how good it was; what comes back as it was is no complaint, nor is what was cut."""
    played.plays["good"] = lambda _: TEXT
    running = start({"pause_s": 0, "signals": {"continued": 0.6}})
    changed, same, cut, replaced = (ask(running, user(f"Question {n}."), stream=stream) for n in range(4))
    ask(running, user("Question 0."), assistant(TEXT.replace("largest", "second largest")), user("Go on."))
    ask(running, user("Question 1."), assistant(f" {TEXT.replace(' ', '  ')}"), user("Go on."))
    ask(running, user("Question 2."), assistant(TEXT[:60]), user("Go on."))
    ask(running, user("Question 3."), assistant("They spoke of rivers (summary)."), user("Go on."))

    found = seen(running)
    assert ({"continued": 0.6}, {}, {}) == (found[same], found[cut], found[replaced])
    assert 0.45 < found[changed]["edited"] < 0.6


def test_the_answer_that_was_taken_is_known_among_several(start, played):
    """Of two answers to the same request, and of two choices, the one that comes back is meant."""
    answers = iter([TEXT, "Something else entirely, about lakes.", "x", "x"])
    played.plays["good"] = lambda _: next(answers)
    running = start({"pause_s": 0, "signals": {"continued": 0.6}})
    first, second = ask(running), ask(running)
    ask(running, user("Which river is the largest?"), assistant(TEXT), user("Go on."))

    found = seen(running)
    assert ({"retry": 0.2, "continued": 0.6}, {}) == (found[first], found[second])


RESULTS = [
    ({"content": '{"error": "no such city"}'}, True),
    ({"content": "4 degrees", "is_error": True}, True),
    ({"content": '{"error": null, "degrees": 4}'}, False),
    ({"content": "Error handling is described in chapter 4."}, False),
]


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_that_tells_an_error(start, played, stream):
    """By its members, and not by its words."""
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    played.plays["good"] = lambda body: (
        "Cold." if len(body["messages"]) > 1 else {"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    )
    running, asked = start(), []
    echoed = assistant(None, tool_calls=[{**call, "function": {**call["function"], "arguments": '{"city": "Oslo"}'}}])
    for n, (result, _) in enumerate(RESULTS):
        question = user(f"How cold is it on day {n}?")
        asked.append(ask(running, question, stream=stream))
        ask(running, question, echoed, {"role": "tool", "tool_call_id": "c1", **result}, stream=stream)

    found = seen(running)
    assert [{"tool_failed": 0.3} if failed else {} for _, failed in RESULTS] == [found[one] for one in asked]


TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object", "required": ["a"]}}}


def called(arguments, name="weather"):
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}


LACKS = [
    ("Fine.", {}, {}),
    (called('{"city":"Oslo"}'), {"tools": [TOOL]}, {"well_formed": 0.7}),
    (called('{"city":'), {"tools": [TOOL]}, {"tool_failed": 0.3}),
    (called('{"town":"Oslo"}'), {"tools": [TOOL]}, {"tool_failed": 0.3}),
    (called("{}", name="made_up"), {"tools": [TOOL]}, {"tool_failed": 0.3}),
    ('{"a": 1}', {"response_format": {"type": "json_object"}}, {"well_formed": 0.7}),
    ('{"a": 1', {"response_format": {"type": "json_object"}}, {"invalid_json": 0.1}),
    ("Here you are: {}", {"response_format": {"type": "json_object"}}, {"invalid_json": 0.1}),
    ('{"a": 1}', {"response_format": SCHEMA}, {"well_formed": 0.7}),
    ("Fine.", {"tools": [TOOL]}, {}),
    ('{"b": 1}', {"response_format": SCHEMA}, {"invalid_json": 0.1}),
    ({"message": {"content": "It goes"}, "finish_reason": "length"}, {}, {"truncated": 0.4}),
    ({"message": {"content": "It goes"}, "finish_reason": "length"}, {"max_tokens": 5}, {}),
    (
        {"message": {"content": '{"a":'}, "finish_reason": "length"},
        {"response_format": {"type": "json_object"}},
        {"truncated": 0.4},
    ),
    (" ", {}, {"empty": 0.0}),
    (" ", {"stop": ["\n"]}, {}),
    ({"message": {"refusal": "I will not."}}, {}, {"refused": 0.3}),
    ({"message": {"content": "I"}, "finish_reason": "content_filter"}, {}, {"refused": 0.3}),
]


@pytest.mark.parametrize("stream", [False, True])
def test_what_an_answer_lacks(start, played, stream):
    """It is seen in the answer itself, whole or streamed."""
    running, asked = start(), []
    for line, fields, _ in LACKS:
        played.plays["good"] = lambda _, line=line: line
        asked.append(ask(running, stream=stream, seed=len(asked), **fields))

    found = seen(running)
    assert [expected for _, _, expected in LACKS] == [found[one] for one in asked]


@pytest.mark.parametrize("stream", [False, True])
def test_of_several_choices_each_counts(start, played, stream):
    """One that says nothing among four costs a quarter."""
    each = [{"message": {"content": text}} for text in ("a", "b", " ", "c")]
    played.plays["good"] = lambda _: {"each": each}
    running = start()

    assert [{"empty": 0.75}] == [
        signals for one in [ask(running, n=4, stream=stream)] for signals in [seen(running)[one]]
    ]


def test_what_is_left_alone(start):
    """Everything, a policy, a caller, or a sign."""
    key = {"authorization": "Bearer ann-key"}
    callers = {"ann": {"key": "ann-key"}}
    for implicit in (
        {"enabled": False},
        {"except_policies": ["p"]},
        {"except_callers": ["ann"]},
        {"signals": {"retry": None}},
    ):
        running = start({**EAGER, **implicit}, callers=callers)
        ask(running, headers=key)
        ask(running, headers=key)
        assert [] == all_seen(running)


def test_no_text_is_kept(start, played):
    """Neither in the log nor in memory is there a word of what was said."""
    secret = "the passphrase is aubergine"
    played.plays["good"] = lambda _: f"You said that {secret}, and more of it. {TEXT}"
    running = start()
    ask(running, user(secret))
    ask(running, user(secret))
    ask(running, user(secret), assistant(f"You said that {secret}, and more of it. {TEXT}!!"), user("Go on."))

    assert {"retry", "edited"} <= set(all_seen(running))
    watch = running.gateway._listening._watch
    remembered = repr(list(watch.memory._seen.items()))
    logged = repr(running.logged())
    for place in (remembered, logged):
        assert "aubergine" not in place
        assert "Amazon" not in place
    assert {} == watch._under_way


def test_replicas_remember_together(start, tmp_path):
    """What one was asked, another knows; in Redis no word is written."""
    with redis_server(tmp_path) as redis:
        section = {"url": redis.url}
        one, two = start(redis=section), start(redis=section)
        first = ask(one, user("Which river?"))
        seen(one)
        ask(two, user("Which river?"))

        assert {"retry": 0.2} == seen(two)[first]
        assert {"retry": 0.2} == seen(one)[first]


def test_what_is_remembered_outlives_a_configuration(start):
    """A retry is seen across a reload; with another key, all is forgotten."""
    running = start()
    text = (running.folder / "gateway.yaml").read_text()
    first = ask(running)
    reloaded(running, text + "limits: {timeout_s: 77}\n")
    second = ask(running)
    reloaded(running, text.replace("implicit:\n", "implicit:\n  key: another secret key\n"))
    ask(running)

    found = seen(running)
    assert ({"retry": 0.2}, {}) == (found[first], found[second])


def reloaded(running, text):
    """Wait until the gateway has another configuration in force."""
    before = running.gateway.runtime.digest
    (running.folder / "gateway.yaml").write_text(text)
    deadline = time.monotonic() + 10
    while running.gateway.runtime.digest == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
