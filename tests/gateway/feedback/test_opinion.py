from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.feedback.opinion import Opinion, Piece, opinion_of, to_event
from gateway.store.checks import NOON, SECOND

TEXTS = st.none() | st.text(max_size=5)
OPINIONS = st.builds(
    Opinion,
    kind=st.sampled_from(["score", "binary", "preference", "implicit"]),
    value=st.floats(0, 1),
    model=TEXTS,
    other=TEXTS,
    name=TEXTS,
    source=st.text(max_size=5),
    comment=TEXTS,
)
PIECES = st.builds(Piece, st.uuids(), OPINIONS, key=TEXTS)


@given(piece=PIECES, caller=st.text(max_size=5))
def test_a_repeat_has_the_same_id(piece, caller):
    """Whenever it comes; and what was said is what is logged."""
    first, again = (to_event(piece, caller, NOON + n * SECOND, {}) for n in (0, 1))

    assert first.id == again.id
    assert (piece.decision_id, piece.opinion, caller) == (first.decision_id, opinion_of(first), first.caller)


@pytest.mark.parametrize(
    ("piece", "caller"),
    [
        (Piece(UUID(int=2), Opinion("score", 1.0)), "a"),
        (Piece(UUID(int=1), Opinion("score", 0.5)), "a"),
        (Piece(UUID(int=1), Opinion("binary", 1.0)), "a"),
        (Piece(UUID(int=1), Opinion("score", 1.0)), "b"),
        (Piece(UUID(int=1), Opinion("score", 1.0), key="k"), "a"),
    ],
)
def test_what_differs_has_another_id(piece, caller):
    """Nobody can take the place of another's words by saying them first."""
    one = to_event(Piece(UUID(int=1), Opinion("score", 1.0)), "a", NOON, {})

    assert one.id != to_event(piece, caller, NOON, {}).id


def test_a_key_makes_different_words_a_conflict():
    """With the same key they have the same id, which the log takes once."""
    pieces = [Piece(UUID(int=1), Opinion("score", value), key="k") for value in (0.0, 1.0)]

    assert 1 == len({to_event(piece, "a", NOON, {}).id for piece in pieces})


def test_a_label_has_the_worth_that_is_written():
    """Or none; what it is worth is no part of what was said."""
    piece = Piece(UUID(int=1), Opinion("label", name="rude"))
    known, unknown = (to_event(piece, "a", NOON, labels) for labels in ({"rude": 0.1}, {}))

    assert (0.1, None) == (known.value, unknown.value)
    assert known.id == unknown.id
    assert opinion_of(known) == opinion_of(unknown)
