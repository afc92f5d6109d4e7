from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.implicit.conversation import Reader
from gateway.implicit.wording import as_choice, wording

READER = Reader(b"a key")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = ["role", "content", "tool_calls", "function_call", "type", "text"]


def user(text):
    return {"role": "user", "content": text}


def read(*messages, asker="ann", told_apart=True, **fields):
    return READER.read({"model": "m", "messages": list(messages), **fields}, asker, told_apart=told_apart)


def test_a_next_turn_stands_on_the_last_one():
    """What came before the assistant's turn is the request that it answered, however clients write it."""
    first = read({"role": "system", "content": "Be brief."}, user("Hello."))
    cached = [{"type": "text", "text": "Hello.", "cache_control": {"type": "ephemeral"}}]
    system = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    second = read(system, user(cached), {"role": "assistant", "content": "Hi."}, user("And?"))

    assert (first.whole, "Hi.") == (second.before, second.returned.text)
    assert [user("And?")] == list(second.results)


def test_who_asks_and_what_with_tells_requests_apart():
    """Another asker, another key, other words; and beside the words, another frame."""
    plain = read(user("Hello."))

    assert plain.whole != read(user("Hello."), asker="bob").whole
    assert plain.whole != read(user("Hello!")).whole
    assert plain.whole != Reader(b"other").read({"messages": [user("Hello.")]}, "ann", told_apart=True).whole
    assert (plain.whole, True) == (
        read(user("Hello."), seed=1).whole,
        plain.frame != read(user("Hello."), seed=1).frame,
    )
    assert plain.frame == read(user("Hello."), temperature=1, stream=True).frame


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("  two\n words ", "two words", True),
        ("<think>Hm.</think>\n Yes.", "Yes.", True),
        ("Yes. <think>Hm.</think>", "Yes.", False),
        ("Yes.", "No.", False),
    ],
)
def test_what_clients_change_by_themselves_is_no_change(one, other, same):
    """Spaces, and thoughts before the answer."""
    said = [wording(as_choice({"role": "assistant", "content": text})) for text in (one, other)]

    assert same == (said[0] == said[1])


@pytest.mark.parametrize(
    ("messages", "told_apart", "own"),
    [
        ([user("Hello.")], True, True),
        ([user("Hello.")], False, False),
        ([user("long " * 50)], False, True),
        ([{"role": "system", "content": "long " * 50}, user("Hello.")], False, False),
        ([user("Hello."), {"role": "assistant", "content": "Hi."}, user("And?")], False, True),
    ],
)
def test_whose_a_request_is(messages, told_apart, own):
    """A greeting may be anybody's, unless the request says whose it is."""
    assert own == read(*messages, told_apart=told_apart).own


@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), JSON | st.sampled_from(["user", "assistant"])), max_size=4))
def test_whatever_is_sent_can_be_read(messages):
    """What makes no sense is upstream's to refuse."""
    found = read(*messages)

    assert (found.before is None) == (found.returned is None)
