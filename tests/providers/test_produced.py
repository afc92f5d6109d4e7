from __future__ import annotations

import json

import pytest

from providers.alike import alike
from providers.produced import KEPT_BYTES, ProducedEvents, whole_answer
from providers.types import Produced


def chunk(delta, index=0):
    return json.dumps({"choices": [{"index": index, "delta": delta}]}).encode()


def produced(*payloads):
    events = ProducedEvents()
    for payload in payloads:
        events.add(payload)
    return events.produced()


@pytest.mark.parametrize(
    ("delta", "said"),
    [
        ({"content": "Hi"}, "Hi"),
        ({"reasoning_content": "hm", "reasoning": "hm", "content": "Hi"}, "hmHi"),
        ({"reasoning": "hm"}, "hm"),
        ({"refusal": "no"}, "no"),
        ({"content": [{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": "Hi"}]}, "hmHi"),
        (
            {"tool_calls": [{"function": {"name": "f", "arguments": '{"a"'}}, {"function": {"arguments": ":1}"}}]},
            'f{"a":1}',
        ),
        ({"function_call": {"name": "f", "arguments": "{}"}}, "f{}"),
        ({"content": "\ud800\U0001f600"}, "\ud800\U0001f600"),
        ({"content": 7, "tool_calls": [None, {"function": 3}, {}], "reasoning": {"text": None}}, ""),
        (None, ""),
        ("text", ""),
    ],
)
def test_all_that_a_model_says_is_produced(delta, said):
    """Reasoning, content, refusals and calls of tools; nothing twice, and nothing of what is no text."""
    assert Produced(said, 1.0) == produced(chunk(delta))
    assert Produced(said, 1.0) == whole_answer(json.dumps({"choices": [{"message": delta}]}).encode())


def test_choices_are_kept_apart():
    """Pieces of two choices that come by turns are two texts."""
    assert (
        "Hello\nworld"
        == produced(
            chunk({"content": "Hel"}),
            chunk({"content": "wor"}, 1),
            chunk({"content": "lo"}),
            chunk({"content": "ld"}, 1),
        ).text
    )


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"\xff{}", b'{"choices": 3}', b'{"choices": [1, null]}', b"[" * 99_999]
)
def test_what_is_no_chunk_says_nothing(payload):
    """And is no reason to fail."""
    assert "" == produced(payload).text
    assert "" == whole_answer(payload).text


def test_nested_parts_end_somewhere():
    """However deep an endpoint nests, the search is bounded."""
    part: object = "deep"
    for _ in range(200):
        part = {"text": [part]}

    assert "" == produced(chunk({"content": part})).text


def test_events_that_are_alike_are_kept_as_one():
    """They say the same as each by itself, between others as well, and count as much."""
    by_itself, as_one = ProducedEvents(), ProducedEvents()
    deltas = [{"reasoning": "Hm"}, *({"content": text} for text in ("Hi", " \u00e9\n", "you")), {"refusal": "no"}]
    known = alike(b"data: " + chunk({"content": "x"}) + b"\n\n")
    for delta in deltas + deltas:
        payload = chunk(delta)
        text = known.text(b"data: " + payload + b"\n\n")
        by_itself.add(payload)
        if text is None:
            as_one.add(payload)
        else:
            as_one.add_alike(known, text, len(payload))

    assert "HmHi \u00e9\nyounoHmHi \u00e9\nyouno" == by_itself.produced().text
    assert by_itself.produced() == as_one.produced() == as_one.produced()


def test_a_long_stream_is_a_sample_of_itself():
    """What is kept is bounded; how much that is of the whole is known."""
    payload = chunk({"content": "word "})
    many = 40_000
    found = produced(*[payload] * many)

    kept = -(-KEPT_BYTES // len(payload))
    assert kept == found.text.count("word")
    assert pytest.approx(many) == kept / found.share


def test_nothing_is_a_whole_nothing():
    """A stream that has said nothing."""
    assert Produced("", 1.0) == produced()
