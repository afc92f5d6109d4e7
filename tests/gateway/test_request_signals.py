from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.request import (
    MEASURED_TOOLS,
    calls_of,
    estimate_prompt_tokens,
    kinds_of_parts,
    last_user_text,
    messages_of,
)


def user(content):
    return {"role": "user", "content": content}


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([user("one"), {"role": "assistant", "content": "two"}, user("three")], "three"),
        ([{"role": "system", "content": "be brief"}, user("hi"), {"role": "assistant", "content": "?"}], "hi"),
        ([user([{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}])], "a\nb"),
        ([{"role": "system", "content": "only"}], "only"),
        ([user(None)], ""),
        ([user(5)], ""),
        ([user([{"type": "text", "text": 5}, "x"])], ""),
        ([{}], ""),
    ],
)
def test_the_last_user_turn_is_what_is_routed_by(messages, text):
    """Earlier turns and system prompts are alike in all requests of one application."""
    assert text == last_user_text({"messages": messages})


JSON = st.recursive(
    st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=6
)


@given(st.lists(JSON | st.dictionaries(st.sampled_from(["role", "content"]), JSON)))
def test_any_messages_can_be_read(messages):
    """What makes no sense has no text; it is upstream's to refuse."""
    body = {"messages": messages}

    assert isinstance(last_user_text(body), str)
    assert estimate_prompt_tokens(body) >= 0


@given(JSON)
def test_any_body_can_be_read(value):
    """Whatever stands where the messages should."""
    body = {"messages": value, "tools": value, "functions": value, "response_format": value}

    assert isinstance(last_user_text(body), str)
    assert isinstance(kinds_of_parts(messages_of(body)), set)
    assert estimate_prompt_tokens(body) >= 0


def count(text):
    """Return a tenth of a token for a character, for sums that can be done by heart."""
    return len(text) / 10


def test_prompt_tokens_are_those_of_texts_form_and_images():
    """The bytes of an image say nothing of its tokens."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}
    body = {"messages": [user([{"type": "text", "text": "x" * 400}, image]), user("y" * 39)]}

    assert 44 + 2 * 4 + 765 == estimate_prompt_tokens(body, count)


def test_prompt_tokens_include_calls_tools_and_the_schema():
    """All of it is read by the model."""
    body = {"messages": [user("x" * 10)]}
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "a" * 400}}]}
    plain = estimate_prompt_tokens(body, count)

    assert plain + 40 + 4 <= estimate_prompt_tokens({"messages": [*body["messages"], call]}, count)
    assert plain + 40 <= estimate_prompt_tokens(body | {"tools": [{"a": "b" * 400}]}, count)
    assert plain + 40 <= estimate_prompt_tokens(body | {"functions": [{"a": "b" * 400}]}, count)
    assert plain + 40 <= estimate_prompt_tokens(body | {"response_format": {"json_schema": "b" * 400}}, count)


def test_of_many_tools_some_stand_for_the_rest():
    """Measuring hundreds would take longer than routing."""
    tools = [{"a": "b" * 100} for _ in range(10 * MEASURED_TOOLS)]
    few, many = ({"messages": [], "tools": tools[:n]} for n in (MEASURED_TOOLS, len(tools)))

    assert estimate_prompt_tokens(many, count) == pytest.approx(10 * estimate_prompt_tokens(few, count), rel=0.02)


def test_calls_have_one_form():
    """The older member, of one call, is read as the list is."""
    assert [{"id": "1"}] == calls_of({"tool_calls": [{"id": "1"}, 5]})
    assert [{"function": {"name": "f"}}] == calls_of({"function_call": {"name": "f"}})
    assert [] == calls_of({"tool_calls": None, "function_call": "f"})
