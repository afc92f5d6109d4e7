from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.base import Caller
from gateway.signals.session import HASHED_CHARACTERS, HEADERS, MAX_CHARACTERS, METADATA, Session
from tests.gateway.signals.bodies import request
from tests.gateway.signals.checks import check_signal

SYSTEM = {"role": "system", "content": "Be brief."}
FIRST = {"role": "user", "content": "What is a heron?"}
ANSWER = {"role": "assistant", "content": "A bird."}
SECOND = {"role": "user", "content": "Where does it live?"}
#: Beginnings of conversations whose texts look like how they are written to be hashed.
TEXTS = st.text(max_size=4) | st.sampled_from(["", "'user'1:", "1:a'user'1:b", "a", "j2:[]", "\ud800"])
BEGINNINGS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "developer", "tool"]), "content": TEXTS | st.just([])}),
    min_size=1,
    max_size=3,
)


def read(messages, headers=None, caller="ann", **body):
    return Session().read(request({"messages": messages, **body}, headers, Caller(caller)), None)


def session(messages, headers=None, caller="ann", **body):
    return read(messages, headers, caller, **body).get("session")


def part(text):
    return [{"type": "text", "text": text}]


def test_it_passes_the_battery():
    """What holds for every signal."""
    check_signal(Session())


def test_later_turns_belong_to_the_session_of_the_first():
    """The beginning of a conversation is what all of its turns repeat."""
    turns = [[SYSTEM, FIRST], [SYSTEM, FIRST, ANSWER, SECOND], [SYSTEM, FIRST, ANSWER, SECOND, ANSWER, SYSTEM, FIRST]]

    assert len({session(messages) for messages in turns}) == 1


def test_the_form_of_a_content_makes_no_other_session():
    """A text, and a list of one part with that text, are the same."""
    assert session([SYSTEM, FIRST]) == session(
        [{**SYSTEM, "content": part("Be brief.")}, {**FIRST, "content": part("What is a heron?")}]
    )


@pytest.mark.parametrize(
    "messages",
    [
        [SYSTEM, SECOND],
        [FIRST],
        [{"role": "developer", "content": "Be brief."}, FIRST],
        [
            SYSTEM,
            {"role": "user", "content": [*part("What is a heron?"), {"type": "image_url", "image_url": {"url": "a"}}]},
        ],
        [SYSTEM, {"role": "user", "content": part("What is") + part(" a heron?")}],
        [{"role": "system", "content": "Be"}, {"role": "system", "content": " brief."}, FIRST],
    ],
)
def test_another_beginning_is_another_session(messages):
    """Whatever it differs in."""
    assert session(messages) != session([SYSTEM, FIRST])


@given(BEGINNINGS, BEGINNINGS)
def test_no_two_beginnings_are_taken_for_each_other(one, other):
    """Wherever a text ends and the next role begins."""
    assert (session(one) == session(other)) == (one == other)


@pytest.mark.parametrize("at", [0, HASHED_CHARACTERS // 2 - 1, -1])
def test_a_long_text_is_told_by_its_ends_and_its_length(at):
    """The middle of a book is not read."""
    text = "long text " * HASHED_CHARACTERS
    changed = [*text]
    changed[at] = "X"

    assert session([{"role": "user", "content": text}]) != session([{"role": "user", "content": "".join(changed)}])
    assert session([{"role": "user", "content": text}]) != session(
        [{"role": "user", "content": f"{text[:-9]}{text[-8:]}"}]
    )
    middle = text[: len(text) // 2] + "X" + text[len(text) // 2 + 1 :]
    assert session([{"role": "user", "content": text}]) == session([{"role": "user", "content": middle}])
    assert session([{"role": "user", "content": text}]) == session([{"role": "user", "content": part(text)}])


def test_images_tell_beginnings_apart():
    """The same question about another picture is another conversation."""
    first, second = (
        session([{"role": "user", "content": [*part("What is it?"), {"type": "image_url", "image_url": {"url": url}}]}])
        for url in ("data:a", "data:b")
    )

    assert first != second


def test_another_callers_conversation_is_another_session():
    """Though it begins alike."""
    assert session([FIRST], caller="ann") != session([FIRST], caller="bob")


def test_a_digest_has_128_bits():
    """In hexadecimal."""
    assert len(session([FIRST])) == 32
    assert int(session([FIRST]), 16) > 0


@pytest.mark.parametrize("absent", range(len(HEADERS) + 2))
def test_what_the_client_says_counts_in_the_documented_order(absent):
    """The first of these that is there."""
    names = [*HEADERS, "session_id", "conversation_id"]
    said = {name: f"by {name}" for name in names[absent:]}
    headers = {name: said[name] for name in HEADERS if name in said}
    metadata = {name: said[name] for name in METADATA if name in said}

    expected = f"by {names[absent]}"

    assert expected == session([FIRST], headers, metadata=metadata)


@pytest.mark.parametrize("written", ["", "   ", None, 5, ["a"]])
def test_what_is_no_name_is_passed_over(written):
    """The beginning is gone by instead."""
    assert read([FIRST], prompt_cache_key=written)["session.given"] is False
    assert session([FIRST], prompt_cache_key=written) == session([FIRST])


def test_a_cache_key_tells_beginnings_apart_and_names_none():
    """One application may send the same for many conversations."""
    keyed = [session([message], prompt_cache_key="app") for message in (FIRST, SECOND)]

    assert len({*keyed, session([FIRST])}) == 3
    assert read([FIRST], prompt_cache_key="app")["session.given"] is False


def test_a_name_that_is_too_long_is_replaced_by_its_digest():
    """Two long names are still two."""
    names = ["x" * MAX_CHARACTERS + end for end in "ab"]

    assert [32, 32] == [len(session([FIRST], {"x-session-id": name})) for name in names]
    assert len({session([FIRST], {"x-session-id": name}) for name in names}) == 2


@pytest.mark.parametrize(
    ("messages", "headers", "given", "continues", "turn"),
    [
        ([FIRST], {}, False, False, 1.0),
        ([FIRST, ANSWER, SECOND], {}, False, True, 2.0),
        ([FIRST], {"x-session-id": "s"}, True, True, 1.0),
        ([], {}, False, False, 0.0),
    ],
)
def test_how_far_a_session_has_got_is_told(messages, headers, given, continues, turn):
    """An answer in the messages, or a name, says that it goes on."""
    features = read(messages, headers)

    assert (given, continues, turn) == (
        features["session.given"],
        features["session.continues"],
        features["session.turn"],
    )


def test_without_messages_or_a_name_there_is_no_session():
    """It is left out."""
    assert session([]) is None


def test_long_beginnings_are_told_apart_by_their_ends_and_length():
    """Of megabytes not all is hashed."""
    long = "x" * 1_000_000
    texts = [long, long + "y", "y" + long, long[:-1]]

    assert len({session([{"role": "user", "content": text}]) for text in texts}) == 4
