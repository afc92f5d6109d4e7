from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.base import Kind, Request
from gateway.signals.pii import PiiSignal, texts_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOTHING = {"pii": (), "pii.count": 0.0, "pii.unread": (), "pii.truncated": False}


def read(body, signal=None):
    return (signal or PiiSignal()).read(Request(body, "", NOW), None)


def says(content, role="user"):
    return {"messages": [{"role": role, "content": content}]}


def call(arguments):
    function = {"name": "book", "arguments": arguments}
    return {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": function}]}]}


@pytest.mark.parametrize(
    "body",
    [says("a@example.com", role) for role in ("system", "developer", "user", "assistant", "tool")]
    + [
        says([{"type": "text", "text": "hello"}, {"type": "text", "text": "a@example.com"}]),
        {"messages": [{"role": "user", "content": "a@example.com"}, {"role": "user", "content": "and now?"}]},
        call('{"to": "a@example.com"}'),
        call('{"to": "a\\u0040example.com"}'),
        call('{"to": "a@example.com", "to": "nobody"}'),
        call("not JSON, a@example.com"),
        {"tools": [{"type": "function", "function": {"name": "f", "description": "writes to a@example.com"}}]},
        {"tools": [{"function": {"parameters": {"properties": {"a@example.com": {"type": "string"}}}}}]},
        {"user": "a@example.com"},
        {"metadata": {"reply": "a@example.com"}},
        {"prediction": {"type": "content", "content": "a@example.com"}},
        {"unheard_of": [[["a@example.com"]]]},
        says([{"type": "image_url", "image_url": {"url": "https://example.com/?of=a@example.com"}}]),
    ],
)
def test_looks_at_all_that_travels(body):
    """Every string may reach a model, wherever it stands."""
    features = read(body)

    assert ("email",) == features["pii"]
    assert 1.0 == features["pii.count"]


def test_a_key_says_what_a_short_value_is():
    """In arguments and metadata numbers stand alone."""
    assert ("phone",) == read({"metadata": {"phoneNumber": 5551234567}})["pii"]
    assert ("phone",) == read(call('{"phone": "5551234567"}'))["pii"]
    assert ("national_id",) == read({"metadata": {"ssn": "123456789"}})["pii"]
    assert () == read({"metadata": {"order": "5551234567"}, "seed": 5551234567})["pii"]


@pytest.mark.parametrize(
    ("part", "unread"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A1+/" * 100}}, "image"),
        ({"type": "input_audio", "input_audio": {"data": "UklGR" + "A1b2" * 100, "format": "wav"}}, "audio"),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0xLjQ=", "filename": "a.pdf"}},
            "file",
        ),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file"),
        ({"type": "document", "source": {"type": "base64", "data": "JVBE" + "A1b2" * 100}}, "file"),
        ({"type": "text", "text": "data:image/png;base64,iVBORw0KGgo="}, "image"),
    ],
)
def test_says_what_it_cannot_read(part, unread):
    """The content of pictures, sounds and files is no text; nobody knows what it shows."""
    assert NOTHING | {"pii.unread": (unread,)} == read(says([part]))


def test_a_spoken_answer_of_before_is_not_read():
    """It travels as a reference."""
    assert ("audio",) == read({"messages": [{"role": "assistant", "audio": {"id": "audio_1"}}]})["pii.unread"]


def test_a_name_of_a_file_beside_its_content_is_read():
    """Only the content is left out."""
    part = {
        "type": "file",
        "file": {"file_data": "data:application/pdf;base64,JVBERi0xLjQ=", "filename": "a@example.com"},
    }

    assert ("email",) == read(says([part]))["pii"]


def test_finds_nothing_where_there_is_nothing():
    """An empty tuple says that it looked."""
    assert NOTHING == read({"messages": []})
    assert NOTHING == read(says("How many ducks does Janet have? \ud800 🦆"))


def test_kinds_are_sorted_and_counted():
    """Each finding counts, each kind once."""
    features = read(says("a@example.com, b@example.com, (555) 123-4567, 4111111111111111"))

    assert ("card", "email", "phone") == features["pii"]
    assert 4.0 == features["pii.count"]


def test_a_long_text_is_read_at_head_and_tail_and_said_to_be():
    """The middle of a book is not looked at."""
    filler = "word " * 50_000

    head, tail, middle = (
        read(says(text))
        for text in ("a@example.com " + filler, filler + " a@example.com", filler + "a@example.com" + filler)
    )
    assert ("email",) == head["pii"] == tail["pii"]
    assert () == middle["pii"]
    assert head["pii.truncated"] is tail["pii.truncated"] is middle["pii.truncated"] is True


def test_many_texts_are_read_up_to_a_bound_and_said_to_be():
    """However many messages a request has."""
    messages = [{"role": "user", "content": f"{index} " + "word " * 20_000} for index in range(11)]

    assert read({"messages": messages})["pii.truncated"] is True
    assert read({"messages": messages[:9]})["pii.truncated"] is False


def test_what_is_kept_is_bounded_and_holds_no_text():
    """Digests, kinds and counts."""
    signal = PiiSignal(cached=8)
    for index in range(50):
        read(says(f"a{index}@example.com"), signal)

    assert 8 >= len(signal._known)
    assert "example" not in repr(signal._known)
    assert ("email",) == read(says("a1@example.com"), signal)["pii"]


def test_answers_are_the_same_from_many_threads():
    """Requests are read in threads, and share what is kept."""
    signal = PiiSignal(cached=4)
    bodies = [says(f"a{index % 7}@example.com and 4111111111111111") for index in range(200)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda body: read(body, signal), bodies))

    assert [("card", "email")] * 200 == [features["pii"] for features in found]


def test_gives_what_it_declares():
    """Names and kinds of features."""
    types = {Kind.TEXTS: tuple, Kind.NUMBER: float, Kind.TRUTH: bool}
    features = read(says("a@example.com"))

    assert set(PiiSignal.provides) == set(features)
    assert all(isinstance(features[name], types[kind]) for name, kind in PiiSignal.provides.items())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["messages", "tools", "user", "x"]), JSON))
def test_any_body_can_be_read_and_every_string_of_it_is(body):
    """Strings that are JSON themselves are read as what they say."""
    read(body)
    texts = texts_of(body)

    for text in _strings(body):
        if text and text.lstrip()[:1] not in {"{", "["} and not text.startswith("data:"):
            assert any(text in read_text for read_text in texts)


def test_a_deeply_nested_body_can_be_read():
    """As deep as a parser lets through."""
    nested = "a@example.com"
    for _ in range(20_000):
        nested = [nested]

    assert ("email",) == read({"x": nested})["pii"]
    assert ("email",) == read(call("[" * 100_000 + "a@example.com"))["pii"]


def test_json_within_json_is_read():
    """A result of a tool that quotes another."""
    inner = json.dumps({"to": json.dumps({"who": "José <a@example.com>"})})

    assert ("email",) == read(call(inner))["pii"]


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member)
