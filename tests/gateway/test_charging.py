from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.charging import Charge, charge
from gateway.config.models import PriceConfig
from gateway.pricing import flat
from gateway.signals.tokens import estimate_tokens
from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat
from providers.reply import StreamReply, WholeReply
from providers.transport.response import HttpxAnswer

TARIFF = flat(
    PriceConfig(
        input=Decimal(1),
        output=Decimal(2),
        cached_input=Decimal("0.5"),
        cache_write=Decimal("1.25"),
        audio_input=Decimal(10),
        audio_output=Decimal(20),
    )
)
PROMPT = 1000
TEXT = "The quick brown fox jumps over the lazy dog."
DONE = b"data: [DONE]\n\n"


def event(delta=None, finish=None, **more):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({"choices": choices, **more}).encode() + b"\n\n"


def streamed(*events: bytes, places=()) -> StreamReply:
    """Return a stream of which so much has come, cut at `places`."""
    body = b'{"model": "m", "stream": true, "messages": [{"role": "user", "content": "hi"}]}'
    decoder = OpenAIAdapter().stream_decoder(parse_chat(body))
    wire = b"".join(events)
    edges = [0, *sorted(min(place, len(wire)) for place in places), len(wire)]
    for start, end in pairwise(edges):
        list(decoder.feed(wire[start:end]))
    return StreamReply(HttpxAnswer(httpx2.Response(200)), decoder, "up", 1.0, 1.0)


def whole(message, **more) -> WholeReply:
    body = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], **more}).encode()
    return WholeReply({}, OpenAIAdapter().decode(body))


def estimate(text: str, prompt=PROMPT) -> Decimal:
    return TARIFF.cost_usd(whole({}, usage={"prompt_tokens": prompt, "completion_tokens": tokens(text)}).usage)


def tokens(text: str) -> int:
    return -int(-estimate_tokens(text) // 1)


COUNT = st.integers(0, 500)
USAGES = st.fixed_dictionaries(
    {"prompt_tokens": st.integers(1, 5000), "completion_tokens": st.integers(0, 5000)},
    optional={
        "total_tokens": st.integers(0, 12_000),
        "prompt_tokens_details": st.dictionaries(
            st.sampled_from(["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"]), COUNT
        ),
        "completion_tokens_details": st.dictionaries(
            st.sampled_from(["reasoning_tokens", "audio_tokens", "image_tokens"]), COUNT
        ),
        "cache_creation_input_tokens": COUNT,
        "cost": st.floats(0, 5),
    },
)


@given(USAGES, st.booleans(), st.lists(st.integers(0, 900), max_size=12), st.booleans())
def test_an_answer_costs_the_same_streamed_and_whole(usage, with_choices, places, cut):
    """Whatever is reported, in a chunk of its own or in the last with a choice, and however the bytes are cut."""
    last = event({}, "stop", usage=usage) if with_choices else event({}, "stop") + event(usage=usage)
    end = [] if cut else [DONE]  # cut after the usage has come: that was counted to the end

    stream = charge(streamed(event({"content": "Hi"}, usage=None), last, *end, places=places), TARIFF, PROMPT)

    assert charge(whole({"content": "Hi"}, usage=usage), TARIFF, PROMPT) == stream
    assert ("reported" if "cost" in usage else "priced") == stream.source


PIECES = st.lists(st.sampled_from(["Hello", " wor", "ld, ", "\u00e9\u8a9e\U0001f600", " 12"]), max_size=8)


@given(PIECES, PIECES, PIECES)
def test_an_estimate_is_the_same_streamed_and_whole(thought, said, called):
    """Without reported usage, what was said is what counts, not how it came."""
    deltas = [{"reasoning_content": piece} for piece in thought] + [{"content": piece} for piece in said]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in called]
    call = {"id": "1", "function": {"arguments": "".join(called)}}
    message = {"content": "".join(said), "tool_calls": [call], "reasoning_content": "".join(thought)}

    stream = charge(streamed(*map(event, deltas), event({}, "stop"), DONE), TARIFF, PROMPT)

    assert Charge(estimate("".join(thought + said + called)), "estimated") == stream
    assert stream == charge(whole(message), TARIFF, PROMPT)


def test_a_stream_that_breaks_is_charged_for_what_came():
    """The prompt by its estimate, the text by its own."""
    assert Charge(estimate(TEXT), "estimated") == charge(streamed(event({"content": TEXT})), TARIFF, PROMPT)


def test_an_early_count_is_a_least_one():
    """Some endpoints report the prompt at once and count up later: the prompt is theirs, the text is estimated."""
    early = event({"content": TEXT}, usage={"prompt_tokens": 70, "completion_tokens": 1})
    ahead = event({"content": TEXT}, usage={"prompt_tokens": 70, "completion_tokens": 900})

    assert Charge(estimate(TEXT, prompt=70), "estimated") == charge(streamed(early), TARIFF, PROMPT)
    assert Charge(Decimal("0.00187"), "estimated") == charge(streamed(ahead), TARIFF, PROMPT)


def test_the_end_of_a_stream_settles_an_early_count():
    """A stream that was complete has been counted, wherever in it that was said."""
    early = event({"content": TEXT}, usage={"prompt_tokens": 70, "completion_tokens": 1})

    assert "estimated" == charge(streamed(early, event({}, "stop")), TARIFF, PROMPT).source
    assert Charge(Decimal("0.000072"), "priced") == charge(streamed(early, event({}, "stop"), DONE), TARIFF, PROMPT)


def test_without_a_price_a_cost_is_unknown_unless_the_endpoint_says_it():
    """Neither zero nor a guess."""
    counted = {"prompt_tokens": 7, "completion_tokens": 3}
    said = counted | {"cost": 0.25}

    assert Charge(None, None) == charge(whole({"content": "Hi"}, usage=counted), None, PROMPT)
    assert Charge(None, None) == charge(whole({"content": "Hi"}), None, PROMPT)
    assert Charge(Decimal("0.25"), "reported") == charge(whole({"content": "Hi"}, usage=said), None, PROMPT)
    assert Charge(Decimal("0.25"), "estimated") == charge(streamed(event({"content": "x"}, usage=said)), None, PROMPT)


def test_a_stream_that_breaks_costs_at_least_what_was_charged_until_then():
    """An endpoint that says on the way what it charges is believed as far as it has come."""
    said = {"prompt_tokens": 7, "completion_tokens": 3, "cost": 0.25}

    assert Charge(Decimal("0.25"), "estimated") == charge(streamed(event({"content": "x"}, usage=said)), TARIFF, PROMPT)


def test_reasoning_and_tools_are_produced_too():
    """An answer without content is not free."""
    delta = {"reasoning_content": TEXT, "tool_calls": [{"index": 0, "function": {"name": "f", "arguments": TEXT}}]}

    charged = charge(streamed(event(delta)), TARIFF, PROMPT)

    assert charged.usd > estimate(TEXT)


def test_a_long_stream_is_estimated_within_bounds():
    """Of a long one the beginning is looked at; the estimate is that of the whole, within a hundredth."""
    count = 3000
    charged = charge(streamed(*[event({"content": TEXT})] * count), TARIFF, PROMPT)

    assert pytest.approx(float(estimate(TEXT * count)), rel=0.01) == float(charged.usd)


def test_counts_that_cost_beyond_reason_are_not_believed():
    """Such a cost would not fit into the log: the estimate is taken, and where that is as much, nothing is known."""
    dear, absurd = (flat(PriceConfig(input=price, output=price)) for price in (Decimal(200_000), Decimal(10**12)))
    usage = {"prompt_tokens": 10**12, "completion_tokens": 10**12}
    replies = [
        whole({"content": TEXT}, usage=usage),
        streamed(event({"content": TEXT}), event({}, "stop", usage=usage), DONE),
        streamed(event({"content": TEXT}, usage=usage)),
    ]
    cost = (PROMPT + tokens(TEXT)) * Decimal(200_000) / 10**6

    assert [Charge(cost, "estimated")] * 3 == [charge(reply, dear, PROMPT) for reply in replies]
    assert [Charge(None, None)] * 3 == [charge(reply, absurd, PROMPT) for reply in replies]
    assert Charge(None, None) == charge(whole({"content": TEXT}), absurd, PROMPT)
