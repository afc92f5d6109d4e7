from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.plans.heard import read, with_text
from providers.reply import WholeReply
from providers.types import Decoded
from routers.types import Candidate, ToolCall
from tests.upstream import chunk, completion

MODEL = Candidate("m")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["content", "logprob", "x"]), inner),
    max_leaves=8,
)


def heard(body, *events):
    """Return what a plan is told of an answer, whole or as events."""
    raw = json.dumps(body).encode()
    reply = WholeReply({}, Decoded(raw, None, "length"), events)
    return read(MODEL, reply, events or [raw], 0.5, 2.0)


def test_an_answer_is_what_its_first_choice_says():
    """Its text, why it ended, what it cost, and how long it took."""
    answer = heard(completion("m", "42"))

    assert (None, "42", "stop", False, 0.5, 2.0) == (
        answer.error,
        answer.text,
        answer.finish_reason,
        answer.refusal,
        answer.cost_usd,
        answer.latency_s,
    )


def test_a_stream_comes_to_the_same():
    """Its pieces are put together; where it gives no reason, the reply's counts."""
    pieces = [chunk("m", {"content": "4"}), chunk("m", {"content": "2"}), b": still there\n\n", b"data: [DONE]\n\n"]
    answer = heard({}, *pieces)

    assert ("42", "length") == (answer.text, answer.finish_reason)


def test_calls_of_tools_and_refusals_are_told():
    """As the model wrote them."""
    call = {"id": "1", "type": "function", "function": {"name": "rm", "arguments": '{"'}}

    assert (ToolCall("rm", '{"'),) == heard(completion("m", None, tool_calls=[call])).tool_calls
    assert heard(completion("m", None, refusal="No.")).refusal


def test_the_probabilities_of_tokens_are_told():
    """Of the first choice, those that are some; none where none were asked for."""
    body = completion("m", "42")
    assert heard(body).logprobs is None

    body["choices"][0]["logprobs"] = {"content": [{"logprob": -0.5}, {"logprob": "?"}, {"logprob": 3}, {"logprob": 0}]}
    assert (-0.5, 0.0) == heard(body).logprobs


def test_a_book_is_unreadable():
    """Of what is longer than anybody compares, nothing is told but what it cost."""
    answer = heard(completion("m", "x" * 300_000))

    assert ("unreadable", "", 0.5) == (answer.error, answer.text, answer.cost_usd)


@given(anything, st.booleans())
def test_whatever_stands_where_probabilities_should_is_read(said, streams):
    """Endpoints may write what they like beside the answer."""
    choice = {"index": 0, "delta": {"content": "42"}, "message": {"content": "42"}, "logprobs": said, "logprob": 1}
    body = {"choices": [choice]}
    answer = heard(body, *([f"data: {json.dumps(body)}\n\n".encode()] if streams else []))

    assert "42" == answer.text
    assert all(value <= 0 for value in answer.logprobs or ())


@pytest.mark.parametrize("streams", [True, False])
def test_another_text_stands_in_for_the_answers_own(streams):
    """What else it said is gone: calls of tools and probabilities; who it was and what it took remains."""
    usage = b'data: {"id": "c", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}\n\n'
    pieces = [chunk("m", {"content": "old"}), usage, b"data: [DONE]\n\n"]
    if not streams:
        pieces = [json.dumps(completion("m", "old", tool_calls=[{"id": "1"}])).encode()]
    said = with_text(pieces, "new", streams=streams)

    assert "new" == heard(json.loads(said[0]) if not streams else {}, *(said if streams else [])).text
    assert not [piece for piece in said if b"old" in piece or b"tool_calls" in piece]
    assert any(b'"usage"' in piece for piece in said)
