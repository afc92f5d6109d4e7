from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.request import estimate_prompt_tokens, last_user_text, request_features


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


def test_features_tell_the_requests_form():
    """What a router or a rule may want to know without reading the text."""
    image = {"type": "image_url", "image_url": {"url": "x"}}
    body = {"messages": [user([image])], "tools": [{}], "response_format": {"type": "json_object"}, "stream": True}

    assert {"turns": 1.0, "tools": True, "images": True, "structured": True, "stream": True} == request_features(body)


JSON = st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))


@given(st.lists(JSON | st.dictionaries(st.sampled_from(["role", "content"]), JSON)))
def test_any_messages_can_be_read(messages):
    """What makes no sense has no text; it is upstream's to refuse."""
    body = {"messages": messages}

    assert isinstance(last_user_text(body), str)
    assert estimate_prompt_tokens(body) >= 0
    assert request_features(body)["tools"] is False


def test_prompt_tokens_are_estimated_from_texts_tools_and_images():
    """The bytes of an image say nothing of its tokens."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}
    body = {"messages": [user([{"type": "text", "text": "x" * 400}, image]), user("y" * 40)]}

    assert 100 + 10 + 2 * 4 + 765 == estimate_prompt_tokens(body)
    assert estimate_prompt_tokens(body | {"tools": [{"a": "b" * 400}]}) > 880 + 100
