from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.changes import UNCHANGED, Changes
from providers.chat import parse_chat

USER = {"role": "user", "content": "hi"}
PROMPT = "Be brief."


def instructed(*messages):
    chat = parse_chat(json.dumps({"model": "m", "messages": list(messages)}).encode())
    changed = Changes(system_prompt=PROMPT).apply(chat)
    assert json.loads(changed.text) == changed.body
    return changed.body["messages"]


def test_nothing_to_change_is_the_request_itself():
    """Not even a copy."""
    chat = parse_chat(b'{"model": "m", "messages": [], "x": 1e-7}')

    assert UNCHANGED.apply(chat) is chat
    assert Changes(headers={"x": "y"}, effort="low", reasoning=True).apply(chat) is chat


def test_a_system_prompt_becomes_the_first_message_where_there_is_none():
    """Many templates take a system message only there."""
    assert [{"role": "system", "content": PROMPT}, USER] == instructed(USER)
    late = {"role": "system", "content": "late"}
    assert [{"role": "system", "content": PROMPT}, USER, late] == instructed(USER, late)


@pytest.mark.parametrize("role", ["system", "developer"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("You are kind.", f"You are kind.\n\n{PROMPT}"),
        ("", PROMPT),
        (None, PROMPT),
        ([{"type": "text", "text": "a"}], [{"type": "text", "text": "a"}, {"type": "text", "text": PROMPT}]),
        ([], [{"type": "text", "text": PROMPT}]),
    ],
)
def test_a_system_prompt_is_added_to_the_one_that_is_there(role, before, after):
    """Never a second system message; what else the message holds stays."""
    first = {"role": role, "content": before, "name": "boss"}

    assert [{**first, "content": after}, USER] == instructed(first, USER)


def test_parameters_are_set_and_removed_and_the_rest_keeps_its_spelling():
    """Numbers, escapes and members that nobody here knows are as the client wrote them."""
    raw = b'{"model": "m", "messages": [ ],"a": 1e-7, "top_p":1.10,"user":"\\u0041","n":  3, "temperature": 2}'
    chat = parse_chat(raw)
    changed = Changes(parameters={"n": None, "temperature": 0, "seed": 7}).apply(chat)

    assert {"model": "m", "messages": [], "a": 1e-7, "top_p": 1.1, "user": "A", "temperature": 0, "seed": 7} == dict(
        changed.body
    )
    for kept in ('"a":1e-7', '"top_p":1.10', '"user":"\\u0041"'):
        assert kept in changed.text.replace(": ", ":")
    assert "seed" not in chat.body


JSON = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), JSON)


@given(OBJECTS, OBJECTS)
def test_any_parameters_are_set_or_removed(body, parameters):
    """None removes, all else sets, and nothing else changes."""
    changed = Changes(parameters=parameters).apply(parse_chat(json.dumps(body).encode()))
    merged = {**body, **parameters}
    expected = {key: value for key, value in merged.items() if not (key in parameters and value is None)}

    assert expected == json.loads(changed.text) == dict(changed.body)
