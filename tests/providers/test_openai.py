from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat
from providers.errors import AnswerBroken, ContextTooLong, Overloaded, RateLimited, UpstreamError
from providers.types import Target, Usage

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}


def chat(**fields: Any):
    return parse_chat(json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hi"}], **fields}).encode())


def event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def choice(text: str, finish: str | None = None, **more: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}], **more})


def test_asks_for_usage_when_the_client_did_not():
    """A stream is asked to report its usage, beside what other options the client set."""
    sent = json.loads(OpenAIAdapter().encode(chat(stream=True, stream_options={"x": 1}), Target("gpt")))

    assert ("gpt", {"x": 1, "include_usage": True}) == (sent["model"], sent["stream_options"])


@pytest.mark.parametrize("fields", [{}, {"stream": False}, {"stream": True, "stream_options": {"include_usage": True}}])
def test_adds_nothing_where_usage_comes_anyway(fields):
    """A whole answer holds its usage, and a client that asks gets it."""
    sent = json.loads(OpenAIAdapter().encode(chat(**fields), Target("gpt")))

    assert {"model": "gpt", "messages": [{"role": "user", "content": "hi"}], **fields} == sent


def test_leaves_endpoints_alone_that_refuse_stream_options():
    """What an endpoint does not understand is not sent on the client's behalf."""
    sent = json.loads(OpenAIAdapter(stream_options=False).encode(chat(stream=True), Target("gpt")))

    assert "stream_options" not in sent


WIRE = [
    choice("Hel"),
    b": a comment\n\n",
    choice('say \\"usage\\": {} and "finish_reason": "x"'),
    choice("lo", "stop"),
    event({"choices": [], "usage": USAGE}),
    b"data: [DONE]\n\n",
]


@given(st.lists(st.integers(0, 600), max_size=30), st.booleans())
def test_relays_events_as_they_are_and_withholds_unasked_usage(places, asked):
    """However the bytes are cut, the client gets each event untouched, the usage chunk only if it asked."""
    options = {"include_usage": True} if asked else {}
    decoder = OpenAIAdapter().stream_decoder(chat(stream=True, stream_options=options))
    wire = b"".join(WIRE)
    edges = [0, *sorted(min(place, len(wire)) for place in places), len(wire)]

    relayed = [out for a, b in pairwise(edges) for out in decoder.feed(wire[a:b])]

    assert [one for one in WIRE if asked or b"prompt_tokens" not in one] == relayed
    assert (Usage(7, 3, 2), "stop", True) == (decoder.usage, decoder.finish_reason, decoder.done)


def test_unasked_usage_is_withheld_whatever_it_comes_with():
    """Also where such chunks are alike."""
    decoder = OpenAIAdapter().stream_decoder(chat(stream=True))
    odd = [event({"choices": [], "x": {"content": text}, "usage": USAGE}) for text in ("a", "b")]

    assert [] == [relayed for one in odd for relayed in decoder.feed(one)]


def test_what_follows_the_end_is_no_part_of_the_answer():
    """However much it looks like one."""
    decoder = OpenAIAdapter().stream_decoder(chat(stream=True))
    wire = choice("Hel") + choice("", "stop") + b"data: [DONE]\n\n"

    assert wire == b"".join(decoder.feed(wire))
    assert [] == list(decoder.feed(choice("lo")))


def test_usage_in_a_chunk_with_choices_is_relayed():
    """Some endpoints put the usage into the last chunk; the client may not lose that chunk."""
    decoder = OpenAIAdapter().stream_decoder(chat(stream=True))
    last = choice("", "stop", usage=USAGE)

    assert [last] == list(decoder.feed(last))
    assert Usage(7, 3, 2) == decoder.usage


def test_usage_that_counts_up_is_the_largest():
    """Endpoints that report usage in every chunk count up."""
    decoder = OpenAIAdapter().stream_decoder(chat(stream=True))
    for n in (1, 2, 3):
        list(decoder.feed(choice("x", usage={"prompt_tokens": 7, "completion_tokens": n})))

    assert Usage(7, 3) == decoder.usage


@pytest.mark.parametrize(
    "broken",
    [
        event({"error": {"message": "it crashed"}}),
        b"data: {broken\n\n",
        b'data: {"usage": {broken}}\n\n',
        b"data: text\n\n",
    ],
)
def test_a_broken_event_is_an_error(broken):
    """An error in band, and what is not JSON, end the stream as failed."""
    decoder = OpenAIAdapter().stream_decoder(chat(stream=True))

    with pytest.raises(UpstreamError):
        list(decoder.feed(broken))


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b'data: {"message": "boom", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}\n', UpstreamError, "boom"),
        (b'data: {"error": {"message": "boom", "code": "rate_limit_exceeded"}}\n', RateLimited, "boom"),
        (b'data: {"choices": [{"index": 0, "delta": {"content": "boom"}}]}\n', UpstreamError, "500"),
        (b"data: it went\ndata: boom\n", UpstreamError, "boom"),
        (b"", UpstreamError, "500"),
    ],
)
def test_an_event_that_is_called_an_error_is_one(data, kind, words):
    """Whatever else it looks like; and it counts no tokens."""
    for named in (b"event: error\n" + data, data + b"event:error\n"):
        decoder = OpenAIAdapter().stream_decoder(chat(stream=True))
        with pytest.raises(kind, match=words) as caught:
            list(decoder.feed(choice("a") + named + b"\n"))
        assert kind is type(caught.value)
        assert decoder.usage is None


def test_a_whole_answer_stays_as_it_is():
    """Its bytes are relayed; usage and finish reason are read beside."""
    body = (
        b'{ "choices": [{"finish_reason":"length", "message": {}, "x": 1.10}], "usage": '
        + json.dumps(USAGE).encode()
        + b"}"
    )

    decoded = OpenAIAdapter().decode(body)

    assert (body, Usage(7, 3, 2), "length") == (decoded.body, decoded.usage, decoded.finish_reason)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": {"message": "no"}}', b'{"choices": null}'])
def test_what_is_no_answer_is_an_error(body):
    """Status 200 does not make an answer."""
    with pytest.raises(UpstreamError):
        OpenAIAdapter().decode(body)


@pytest.mark.parametrize(
    "usage",
    [None, 1, {}, {"prompt_tokens": "7", "completion_tokens": 3}, {"prompt_tokens": -1, "completion_tokens": 3}],
)
def test_usage_that_makes_no_sense_is_unknown(usage):
    """Unknown is not zero."""
    answer = {"choices": [{"message": {"content": "x"}}], "usage": usage}

    assert OpenAIAdapter().decode(json.dumps(answer).encode()).usage is None


def test_a_whole_answer_becomes_a_stream_with_its_tool_calls():
    """Calls are numbered, and nothing of the answer is lost."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call, call]}
    body = {"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": USAGE}
    adapter = OpenAIAdapter()

    first, done = adapter.as_events(adapter.decode(json.dumps(body).encode()), chat(stream=True))

    assert b"data: [DONE]\n\n" == done
    delta = {**message, "tool_calls": [{"index": 0, **call}, {"index": 1, **call}]}
    assert {
        "id": "x",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "delta": delta}],
    } == json.loads(first[6:])


SAID = st.one_of(
    st.builds(lambda text: {"delta": {"content": text}}, st.text(max_size=6)),
    st.sampled_from(
        [
            {"delta": {"reasoning": "hm"}},
            {"delta": {"content": "x"}, "finish_reason": "stop"},
            {"delta": {}, "finish_reason": "length"},
            {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "x"}}]}},
            {"delta": {"content": ["x"]}, "logprobs": None},
            {"delta": {"content": 3}},
        ]
    ),
)


def told(said, usages, id_of, asked):
    """Return what a decoder makes of a stream: what passed, how it ended, and what it knows then."""
    decoder = OpenAIAdapter().stream_decoder(chat(stream=True, stream_options={"include_usage": asked}))
    passed, error = [], ""
    try:
        for number, one in enumerate(said):
            usage = {"usage": USAGE} if number in usages else {}
            relayed = decoder.feed(event({"id": id_of(number), "choices": [{"index": 0, **one}], **usage}))
            passed += [number for _ in relayed]
        passed += [
            -1 for _ in decoder.feed(event({"id": id_of(0), "choices": [], "usage": USAGE}) + b"data: [DONE]\n\n")
        ]
    except UpstreamError as broken:
        error = str(broken)
    state = decoder.usage, decoder.finish_reason, decoder.done, decoder.settled, decoder.begun, decoder.produced()
    return passed, error, state


@given(st.lists(SAID, max_size=12), st.sets(st.integers(0, 11), max_size=2), st.booleans())
def test_what_is_known_without_parsing_is_what_parsing_tells(said, usages, asked):
    """Chunks that are alike, and chunks of which no two are, make the same stream."""
    assert told(said, usages, lambda number: f"{number:02}", asked) == told(said, usages, lambda _: "00", asked)


@given(st.integers(0, 600), st.sampled_from([b"data: {broken\n\n", b"dat: {}\n\n", event({"choices": "x"})]))
def test_what_was_good_is_relayed_before_what_is_broken(place, broken):
    """Wherever the bytes are cut, the client has everything up to the damage, and nothing after it."""
    decoder = OpenAIAdapter().stream_decoder(chat(stream=True))
    wire = choice("Hel") + choice("lo") + broken + choice("!", "stop") + b"data: [DONE]\n\n"
    relayed: list[bytes] = []

    def feed_all() -> None:
        for piece in (wire[:place], wire[place:]):
            for out in decoder.feed(piece):
                relayed.append(out)  # noqa: PERF402 - what came before the error is wanted, too

    with pytest.raises(UpstreamError):
        feed_all()

    assert [choice("Hel"), choice("lo")] == relayed
    assert not decoder.done


def test_an_end_without_a_finish_reason_is_none():
    """`[DONE]` says that nothing more comes, not that the answer is whole."""
    decoder = OpenAIAdapter().stream_decoder(chat(stream=True))
    list(decoder.feed(choice("Hel")))

    with pytest.raises(AnswerBroken, match="without a finish reason"):
        list(decoder.feed(b"data: [DONE]\n\n"))
    assert (False, False) == (decoder.done, decoder.settled)


def test_every_choice_that_came_must_have_ended():
    """Two were asked for: one of one is whole, one of two is not."""

    def of(index: int, finish: str | None = None) -> bytes:
        return event({"choices": [{"index": index, "delta": {"content": "x"}, "finish_reason": finish}]})

    one = OpenAIAdapter().stream_decoder(chat(stream=True, n=2))
    list(one.feed(of(0) + of(0, "stop") + b"data: [DONE]\n\n"))
    two = OpenAIAdapter().stream_decoder(chat(stream=True, n=2))
    list(two.feed(of(0) + of(1) + of(0, "stop")))

    assert (True, "stop") == (one.done, one.finish_reason)
    with pytest.raises(AnswerBroken):
        list(two.feed(b"data: [DONE]\n\n"))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, RateLimited),
        ({"error": {"message": "busy", "type": "overloaded_error"}}, Overloaded),
        ({"error": {"message": "busy", "code": "503"}}, Overloaded),
        ({"object": "error", "message": "too long", "code": "context_length_exceeded"}, ContextTooLong),
        ({"error": "it crashed"}, UpstreamError),
        ({"error": ["it crashed"]}, UpstreamError),
    ],
)
def test_an_error_in_band_is_what_it_says(said, kind):
    """In a stream and in a whole answer alike."""
    with pytest.raises(kind):
        list(OpenAIAdapter().stream_decoder(chat(stream=True)).feed(event(said)))
    with pytest.raises(kind):
        OpenAIAdapter().decode(json.dumps(said).encode())
