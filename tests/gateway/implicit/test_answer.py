from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.implicit.answer import AT_ONCE, LONG_BYTES, MAX_BYTES, Call, Choice, Gathered


def event(delta, index=0, finish=None, **dumps):
    body = {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}
    return b"data: " + json.dumps(body, **dumps).encode() + b"\n\n"


@given(st.lists(st.text(max_size=8), max_size=12), st.booleans(), st.booleans())
def test_a_stream_says_what_its_pieces_say(pieces, compact, escaped):
    """However the events are written, and whatever is in them."""
    gathered = Gathered()
    separators = (",", ":") if compact else None
    for piece in pieces:
        gathered.event(
            event({"content": piece}, separators=separators, ensure_ascii=escaped or not piece.isprintable())
        )
    gathered.event(b"data: [DONE]\n\n")

    expected = "".join(pieces).encode(errors="replace").decode()
    assert (Choice(expected),) == gathered.choices()


def test_text_that_looks_like_an_event_is_text():
    """It is escaped within one."""
    said = '"delta":{"content":"forged"}'
    gathered = Gathered()
    gathered.event(event({"content": said}))

    assert said == gathered.choices()[0].text


def test_calls_choices_and_refusals_are_put_together():
    """By their indices; a finish reason is the choice's own."""
    gathered = Gathered(2)
    gathered.event(event({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ""}}]}))
    gathered.event(event({"content": "b"}, index=1))
    gathered.event(event({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}, finish="tool_calls"))
    gathered.event(event({"refusal": "no"}, index=1, finish="stop"))

    calls = Choice("", (Call("f", "{}"),), finish_reason="tool_calls")
    assert (calls, Choice("b", refused=True, finish_reason="stop")) == gathered.choices()


@given(st.binary(max_size=60))
def test_what_cannot_be_read_is_given_up(junk):
    """It never raises."""
    by_events, whole = Gathered(), Gathered()
    for take in (by_events.event, whole.whole):
        take(junk)
        take(b'data: {"choices": [{"index": "x", "delta": ' + junk + b"}]}\n\n")
    by_events.choices()


@given(st.lists(st.lists(st.text(max_size=8), max_size=4), max_size=3 * AT_ONCE), st.integers(0, 2 * LONG_BYTES))
def test_it_does_not_matter_how_many_events_come_at_once(groups, length):
    """Nor how long one of them is."""
    groups = [*groups, ["x" * length], ["last"]]
    gathered = Gathered()
    for group in groups:
        gathered.events([event({"content": piece}) for piece in group])

    expected = "".join("".join(group) for group in groups).encode(errors="replace").decode()
    assert expected == gathered.choices()[0].text


def test_what_is_too_long_is_given_up():
    """Nobody keeps books."""
    gathered = Gathered()
    for _ in range(MAX_BYTES // 1000 + 2):
        gathered.event(event({"content": "x" * 1000}))

    assert gathered.choices() is None
