from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals._tools import MEASURED
from gateway.signals.request import (
    TOKENS_PER_IMAGE,
    TOKENS_PER_MESSAGE,
    Prompt,
    calls_of,
    estimate_prompt_tokens,
    kinds_of_parts,
    last_user_text,
    messages_of,
    objects,
    text_of,
    texts_of,
)
from gateway.signals.tokens import estimate_tokens
from tests.gateway.signals.bodies import BODIES, request


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
    tools = [{"a": "b" * 100} for _ in range(10 * MEASURED)]
    few, many = ({"messages": [], "tools": tools[:n]} for n in (MEASURED, len(tools)))

    assert estimate_prompt_tokens(many, count) == pytest.approx(10 * estimate_prompt_tokens(few, count), rel=0.02)


def test_calls_have_one_form():
    """The older member, of one call, is read as the list is."""
    assert [{"id": "1"}] == calls_of({"tool_calls": [{"id": "1"}, 5]})
    assert [{"function": {"name": "f"}}] == calls_of({"function_call": {"name": "f"}})
    assert [] == calls_of({"tool_calls": None, "function_call": "f"})


@given(BODIES)
def test_one_pass_finds_what_a_look_at_each_message_finds(body):
    """Whatever the body is."""
    prompt, messages = Prompt(body), messages_of(body)
    users = [number for number, message in enumerate(messages) if message.get("role") == "user"]

    assert (messages, users) == (prompt.messages, prompt.users)
    assert [text_of(message) for message in messages] == prompt.said
    assert kinds_of_parts(messages) == prompt.kinds
    assert {role for message in messages if isinstance(role := message.get("role"), str)} == prompt.roles
    assert [call for message in messages for call in calls_of(message)] == prompt.calls
    assert text_of(messages[users[-1]] if users else messages[-1] if messages else {}) == prompt.user_text


@given(BODIES)
def test_a_message_that_is_not_formed_is_a_role_and_a_text(body):
    """Who looks for more has to look at those that are formed alone."""
    prompt = Prompt(body)
    plain = [message for message in prompt.messages if not any(message is one for one in prompt.formed)]

    assert all(message.keys() == {"role", "content"} for message in plain)
    assert all(isinstance(message["content"], str) for message in plain)


def plainly_sent(body):
    """Return the texts that are sent, one after the other."""
    for message in messages_of(body):
        yield from texts_of(message.get("content"))
        for call in calls_of(message):
            function = call.get("function")
            yield from (function.get("name"), function.get("arguments")) if isinstance(function, dict) else ()


@given(BODIES)
def test_the_tokens_of_a_prompt_are_those_of_its_texts(body):
    """Empty ones left out, and with what messages and images cost."""
    plain = {"messages": body.get("messages")}
    parts = [part for message in messages_of(plain) for part in objects(message.get("content"))]
    images = [part for part in parts if part.get("type") == "image_url"]
    texts = [text for text in plainly_sent(plain) if isinstance(text, str) and text]
    form = TOKENS_PER_MESSAGE * len(messages_of(plain)) + TOKENS_PER_IMAGE * len(images)

    assert "\n".join(texts) == Prompt(plain).sent
    assert round(estimate_tokens("\n".join(texts))) + form == Prompt(plain).tokens == estimate_prompt_tokens(plain)
    assert estimate_prompt_tokens(body) == Prompt(body).tokens


@given(BODIES, st.text())
def test_an_estimate_of_a_prompts_own_text_is_that_of_any_other(body, other):
    """Though it is kept."""
    prompt = Prompt(body)

    for text in (prompt.sent, prompt.user_text, other, prompt.sent):
        assert estimate_tokens(text) == prompt.estimate(text)


@given(BODIES)
def test_what_comes_before_the_last_user_turn_is_estimated_as_a_text_of_its_own(body):
    """Whether it was measured together with all that is sent, or alone."""
    prompt = Prompt(body)
    last = prompt.users[-1] if prompt.users else 0
    expected = estimate_tokens("\n".join(prompt.said[:last])) if last else 0.0

    assert (expected, estimate_tokens(prompt.user_text)) == (prompt.history_tokens, prompt.estimate(prompt.user_text))


def test_a_text_as_long_as_the_prompts_own_is_not_taken_for_it():
    """It is told by what it is, not by how long it is."""
    prompt = Prompt({"messages": [user("1 2 3 4 5 6 7 8 9 ")]})
    assert estimate_tokens(prompt.sent) == prompt.estimate(prompt.sent)

    assert (
        estimate_tokens("ordinary letters..") == prompt.estimate("ordinary letters..") != prompt.estimate(prompt.sent)
    )


def test_a_request_finds_its_prompt_once():
    """Signals share it; one that was found before is taken."""
    one = request({"messages": [user("hi")]})
    known = Prompt(one.body)

    assert one.prompt is one.prompt
    assert replace(one, known=known).prompt is known
    assert [user("hi")] == one.messages
