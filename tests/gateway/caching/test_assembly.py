import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.caching.assembly import Assembly
from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat
from providers.types import Usage
from tests.gateway.caching.completions import DONE, completions, cut_up, event, streamed

MUCH = 1_000_000


def assembled(events, max_bytes=MUCH, usage=None):
    assembly = Assembly(max_bytes)
    for one in events:
        assembly.add(one)
    return assembly.whole(usage)


def chunk(delta, index=0, **members):
    return event({"id": "x", "choices": [{"index": index, "delta": delta, **members}]})


END = chunk({}, finish_reason="stop")


@given(completions())
def test_whole_as_events_and_whole_again_is_the_same(whole):
    """Every choice, call, refusal, log probability and unknown member."""
    assert whole == assembled(streamed(whole))


@given(st.data(), completions())
def test_a_stream_cut_up_anywhere_is_the_same_answer(data, whole):
    """Texts in pieces, choices and calls taking turns."""
    assert whole == assembled(cut_up(data.draw, whole))


@given(st.data(), completions())
def test_a_stream_that_ends_early_is_no_answer(data, whole):
    """Whatever has come: without the end there is no whole."""
    events = cut_up(data.draw, whole)

    assert None is assembled(events[: data.draw(st.integers(0, len(events) - 1))])


@given(st.data(), completions())
def test_bytes_may_come_in_any_pieces(data, whole):
    """The decoder makes events of them first, and keeps the usage from a client that did not ask."""
    sent = b"".join(cut_up(data.draw, whole))
    chat = parse_chat(json.dumps({"model": "m", "stream": True, "n": len(whole["choices"])}).encode())
    decoder = OpenAIAdapter().stream_decoder(chat)
    places = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=5)))
    pieces = [sent[a:b] for a, b in zip([0, *places], [*places, len(sent)], strict=True)]

    found = assembled([one for piece in pieces for one in decoder.feed(piece)], usage=decoder.usage)

    assert whole["choices"] == found["choices"]
    assert 8 == found["usage"]["total_tokens"]


def test_the_usage_that_was_read_on_the_way_stands_in():
    """Its parts too; its cost not, for giving an answer again costs nothing."""
    whole = assembled([chunk({"content": "a"}), END, DONE], usage=Usage(7, 2, cached_tokens=3, reasoning_tokens=1))

    assert {
        "prompt_tokens": 7,
        "completion_tokens": 2,
        "total_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 1, "audio_tokens": 0},
    } == whole["usage"]


@pytest.mark.parametrize(
    ("said", "events"),
    [
        ("no JSON", [b"data: {\n\n"]),
        ("no object", [b"data: 5\n\n"]),
        ("not a number", [b'data: {"choices": [{"delta": {}, "score": NaN}]}\n\n']),
        ("an error", [event({"error": {"message": "no"}})]),
        ("two reasons to end", [chunk({}, finish_reason="length")]),
        ("a content in parts", [chunk({"content": [{"type": "text", "text": "a"}]})]),
        ("a call without index", [chunk({"tool_calls": [{"id": "a", "function": {"arguments": "{}"}}]})]),
        ("a call with two names", [chunk({"tool_calls": [{"index": 0, "function": {"name": name}}]}) for name in "ab"]),
        ("an unknown text in pieces", [chunk({"thought": "a"}), chunk({"thought": "b"})]),
        ("an unknown text that may be repeated", [chunk({"thought": "a"}), chunk({"thought": "a"})]),
        ("an index that is none", [chunk({}, index="0"), chunk({}, index=-1)]),
        ("an unknown member that changes", [event({"x": 1, "choices": []}), event({"x": 2, "choices": []})]),
        ("choices that are none", [event({"choices": [7]})]),
    ],
)
def test_what_has_no_one_meaning_is_no_answer(said, events):
    """Better none than another one."""
    assert None is assembled([chunk({"content": "a"}), *events, END, DONE]), said


def test_what_is_said_of_the_sending_is_no_matter():
    """Padding, comments, names that change, empty members, a first chunk without a name."""
    first = event({"id": "", "model": "", "choices": [], "prompt_filter_results": []})
    padded = [event({"id": name, "obfuscation": name, "x_groq": {"id": name}, "choices": []}) for name in "ab"]
    vllm = chunk({"content": "b", "tool_calls": [], "reasoning_content": None}, stop_reason=None)

    whole = assembled([b": ping\n\n", first, *padded, chunk({"content": "a", "role": "assistant"}), vllm, END, DONE])

    assert ("a", "ab") == (whole["id"], whole["choices"][0]["message"]["content"])


def test_the_old_form_of_a_call_is_put_together():
    """One function, whose name comes whole and its arguments in pieces; null says nothing."""
    deltas = [{"function_call": None, "tool_calls": None}, {"function_call": {"name": "f", "arguments": "{"}}]
    deltas.append({"function_call": {"arguments": "}"}})

    whole = assembled([*map(chunk, deltas), END, DONE])

    assert {"function_call": {"name": "f", "arguments": "{}"}, "tool_calls": None} == whole["choices"][0]["message"]


def test_a_member_that_is_empty_at_first_may_be_filled_later():
    """But not changed."""
    filters = [{"content_filter_results": value} for value in ({}, {"hate": 1}, {}, {"hate": 1})]

    whole = assembled([*(chunk({"content": "a"}, **members) for members in filters), END, DONE])

    assert ({"hate": 1}, "aaaa") == (
        whole["choices"][0]["content_filter_results"],
        whole["choices"][0]["message"]["content"],
    )


def test_an_answer_that_is_too_long_is_given_up_on_the_way():
    """What was held is let go."""
    assembly = Assembly(1000)
    for _ in range(2000):
        assembly.add(chunk({"content": "word "}))

    assert "too long" in assembly.spoilt
    assert {} == assembly._choices
