from __future__ import annotations

import pytest
from hypothesis import given

from gateway.signals.needs import LONG_CONTEXT_TOKENS, NEEDS, Needs, needs_of
from tests.gateway.signals.bodies import BODIES, request
from tests.gateway.signals.checks import check_signal

USER = {"role": "user", "content": "Hello"}


def says(**members):
    return {"messages": [USER], **members}


def shows(kind):
    return {"messages": [{"role": "user", "content": [{"type": kind}]}, {"role": "assistant", "content": "?"}, USER]}


def answered(**members):
    return {"messages": [USER, {"role": "assistant", "content": "Hi", **members}, USER]}


def test_it_passes_the_battery():
    """What holds for every signal."""
    check_signal(Needs())


@pytest.mark.parametrize(
    ("body", "needs"),
    [
        (says(), set()),
        (says(tools=[{"type": "function"}]), {"tools"}),
        (says(functions=[{"name": "f"}]), {"tools"}),
        (says(tools=[]), set()),
        (says(response_format={"type": "json_schema"}), {"json_schema"}),
        (says(response_format={"type": "json_object"}), {"json_object"}),
        (says(response_format={"type": "text"}), set()),
        (says(logprobs=True), {"logprobs"}),
        (says(logprobs=False), set()),
        (says(n=2), {"n"}),
        (says(n=1), set()),
        (says(modalities=["text", "audio"]), {"audio_output"}),
        (says(modalities=["text"]), set()),
        (says(prediction={"type": "content", "content": "x"}), {"prediction"}),
        (says(web_search_options={}), {"web_search"}),
        (says(tools=[{"type": "web_search_preview"}]), {"tools", "web_search"}),
        (says(reasoning_effort="high"), {"reasoning_effort"}),
        (says(reasoning_effort="none"), set()),
        (says(reasoning={"effort": "low"}), {"reasoning_effort"}),
        (shows("image_url"), {"vision"}),
        (shows("input_audio"), {"audio"}),
        (shows("file"), {"file"}),
        (shows("text"), set()),
        (shows("novelty"), set()),
        (answered(), set()),
        (answered(tool_calls=[{"id": "1", "function": {"name": "f"}}]), {"tool_history"}),
        (answered(function_call={"name": "f"}), {"tool_history"}),
        ({"messages": [USER, {"role": "assistant", "tool_calls": [{"id": "1"}]}]}, {"tool_history"}),
        (answered(tool_calls=[]), set()),
        ({"messages": [USER, {"role": "tool", "content": "4"}]}, {"tool_history"}),
        ({"messages": [USER, {"role": "tool", "tool_call_id": "1", "content": "4"}]}, {"tool_history"}),
        (answered(reasoning_content="Let me think"), {"thinking_history"}),
        (answered(reasoning_content=None), set()),
        (answered(thinking_blocks=[{"type": "thinking", "signature": "s"}]), {"thinking_history"}),
        ({"messages": [{"role": "assistant", "content": [{"type": "thinking"}]}]}, {"thinking_history"}),
        ({"messages": [{"role": "assistant", "content": [{"type": "redacted_thinking"}]}]}, {"thinking_history"}),
        (answered(refusal="I cannot"), {"refusal"}),
        (answered(refusal=None), set()),
        (answered(audio={"id": "a"}), {"audio"}),
    ],
)
def test_what_a_model_must_support_is_named(body, needs):
    """By members of the body, content parts of any turn, and what earlier answers hold."""
    assert needs == needs_of(body)


@given(BODIES)
def test_needs_are_among_those_that_there_are(body):
    """A capability that is never named cannot be compared with."""
    assert needs_of(body) <= NEEDS


def test_a_very_long_prompt_needs_a_long_context():
    """Which takes an estimate, so that only the signal names it."""
    body = {"messages": [{"role": "user", "content": "some words " * LONG_CONTEXT_TOKENS}]}

    assert {"needs": ("long_context",)} == Needs().read(request(body), None)
    assert frozenset() == needs_of(body)


def test_needs_come_in_alphabetical_order():
    """The same request is always written alike."""
    body = says(tools=[{"type": "function"}], n=3, logprobs=True)

    assert {"needs": ("logprobs", "n", "tools")} == Needs().read(request(body), None)
