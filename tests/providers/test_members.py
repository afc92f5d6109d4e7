from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.members import find, members_of

NAMES = st.sampled_from(["model", "messages", "stream", "a\\", '"model"', ':"model":', "mödel"])
TEXTS = st.sampled_from(["model", '"model"', '","model":1}', '\\"model\\":', "\\", "}", '{"model":"x"}'])
VALUES = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=5)


@given(OBJECTS, st.sets(NAMES), st.sampled_from([None, 0, 2]), st.booleans())
def test_members_are_found_wherever_they_stand(body, wanted, indent, ascii_only):
    """Before or behind the messages, and whatever stands within them and looks like a member."""
    text = json.dumps(body, indent=indent, ensure_ascii=ascii_only)
    keys = wanted & body.keys()
    raw = text.encode()

    expected = [(one.key, text[one.start : one.end]) for one in members_of(text) if one.key in keys]
    assert expected == [(one.key, raw[one.start : one.end].decode()) for one in find(raw, keys)]


@given(OBJECTS, st.sampled_from([None, 2]))
def test_members_are_told_with_their_places(body, indent):
    """What stands at a place is the text of the value."""
    text = json.dumps(body, indent=indent)
    found = list(members_of(text))

    assert body == {one.key: one.value for one in found}
    assert list(body.values()) == [json.loads(text[one.start : one.end]) for one in found]


@pytest.mark.parametrize(
    "text",
    [
        '{"messages": [{"model": "inner"}], "mod\\u0065l": "x"}',
        '{"messages": [{"model": "inner"}], "mod\\u0065l": "x", "user": "model"}',
        '{"messages": [{"content": "\\"model\\": 1}"}], "mod\\u0065l": "x"}',
        '{"m": {"model": "inner"}, "mod\\u0065l": "x"}',
        '{"mod\\u0065l": "x", "m": {"model": "inner"}}',
    ],
)
def test_a_name_that_is_written_with_escapes_is_not_taken_for_another(text):
    """A nested member, or a text, that reads as the name does is none of the object's own."""
    (found,) = find(text.encode(), {"model"})

    assert ("model", '"x"') == (found.key, text[found.start : found.end])


def test_what_is_behind_the_messages_is_found_without_reading_them():
    """The messages are not even JSON here, and nobody notices."""
    raw = b'{"messages": [broken}, "model": "x", "stream": true}'

    assert [b'"x"', b"true"] == [raw[one.start : one.end] for one in find(raw, {"model", "stream"})]


def test_what_is_before_the_messages_is_found_without_reading_them():
    """An array or object that holds no other is passed over, and what follows is not looked at."""
    raw = b'{"stop": ["]", "\\"}"], "stream_options": {"x": "}"}, "model" : 1.0 , "messages": [broken'

    found = [raw[one.start : one.end] for one in find(raw, {"stop", "stream_options", "model"})]

    assert [b'["]", "\\"}"]', b'{"x": "}"}', b"1.0"] == found
