from __future__ import annotations

import json

import pytest

from gateway.plans.request import FORM, request_for
from providers.chat import parse_chat
from routers.types import Call, Candidate, Turn

MESSAGES = [{"role": "user", "content": "hi"}]


def chat(**body):
    return parse_chat(json.dumps({"model": "p", "messages": MESSAGES, **body}).encode())


def call(**options):
    return Call((Candidate("m"),), {"m": 1.0}, "why", **options)


def test_a_call_that_changes_nothing_sends_the_very_same_request():
    """Not a byte of it is written anew."""
    whole = parse_chat(b'{"model":"p", "top_p": 1e-7, "messages" : []}')

    assert request_for(whole, call()) is whole


def test_what_is_not_changed_stays_as_it_was_written():
    """Numbers keep their form, and members that nobody knows their place in the request."""
    whole = parse_chat(b'{"model":"p","top_p":1e-7,"odd":{"a" : 1.10},"messages":[]}')
    text = request_for(whole, call(parameters={"temperature": 0})).text

    assert '"top_p":1e-7' in text
    assert '{"a" : 1.10}' in text


def test_the_plans_turns_follow_the_conversation():
    """Or stand alone, where the call does not show it."""
    turns = (Turn("assistant", "42"), Turn("user", "Is it?"))
    own = [{"role": "assistant", "content": "42"}, {"role": "user", "content": "Is it?"}]

    assert MESSAGES + own == request_for(chat(), call(turns=turns)).body["messages"]
    assert own == request_for(chat(), call(turns=turns, conversation=False)).body["messages"]


def test_a_question_of_the_plans_own_is_bare_of_the_clients_form():
    """It is answered whole, as a text, once, and without his tools."""
    asked = chat(stream=True, temperature=1, **dict.fromkeys(FORM, 1))
    body = request_for(asked, call(bare=True)).body

    assert {"model", "messages", "temperature", "stream"} == body.keys()
    assert body["stream"] is False


@pytest.mark.parametrize(("limit", "left"), [("max_tokens", {"temperature": 0}), ("max_completion_tokens", {})])
def test_a_limit_is_said_once_by_the_name_that_the_endpoint_wants(limit, left):
    """Who takes the newer one is not told a temperature by the plan."""
    asked = chat(max_tokens=5000, max_completion_tokens=5000)
    body = request_for(asked, call(parameters={"max_tokens": 7, "temperature": 0}), limit).body

    assert {"model": "p", "messages": MESSAGES, limit: 7, **left} == body
