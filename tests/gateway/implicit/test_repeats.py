from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gateway.implicit.repeats import answered, asked_again, came_to_nothing, discontent
from gateway.implicit.rules import ImplicitRules
from gateway.implicit.seen import Given as Answer
from gateway.implicit.seen import decoded, encoded

RULES = ImplicitRules(window_s=100, pause_s=1, repeats=2)
#: Of each request: seconds after the last one's end (negative: while it was under way), how it ended, its frame.
STEPS = st.lists(
    st.tuples(st.floats(-0.5, 150), st.sampled_from(["answered", "failed"]), st.sampled_from([b"f", b"g"])), max_size=8
)


def told_of(steps):
    """Play requests one after the other; return of each whether it told against the one before."""
    seen, now, told = None, 1000.0, []
    for number, (after_s, end, frame) in enumerate(steps):
        decision = UUID(int=number)
        now += after_s
        before = seen
        seen = asked_again(before, decision, frame, now, RULES)
        told.append(discontent(before, seen, RULES))
        now += 0.5
        given = [Answer(decision, b"said", b"", 4)]
        ended = answered(seen, decision, given, now) if end == "answered" else came_to_nothing(seen, decision, now)
        seen = decoded(encoded(ended))
        assert seen == ended
    return told


@given(STEPS)
def test_what_tells_against_an_answer(steps):
    """Only who had an answer, within the window, and not before it could be read; and never often."""
    for number, told in enumerate(told_of(steps)):
        if told:
            after_s, _, frame = steps[number]
            _, end, before = steps[number - 1]
            assert number
            assert (1 <= after_s <= 100.001, end, frame) == (True, "answered", before)
    run = 0
    for told in told_of([(5.0, "answered", b"f")] * 9):
        run += told
    assert RULES.repeats == run


def test_a_run_that_was_too_fast_once_is_a_programs():
    """What comes later in it tells nothing either; after the window all is forgotten."""
    fast = [(0, "answered", b"f"), (0.2, "answered", b"f"), (5, "answered", b"f")]

    assert [False, False, False] == told_of(fast)
    assert [False, False, False, False, True] == told_of([*fast, (200, "answered", b"f"), (5, "answered", b"f")])


def test_a_failure_in_between_changes_nothing():
    """The repetition after it is no complaint, and the next one is."""
    steps = [(0, "answered", b"f"), (5, "failed", b"f"), (0.1, "answered", b"f"), (5, "answered", b"f")]

    assert [False, True, False, True] == told_of(steps)


def test_what_cannot_be_read_is_unknown():
    """Another version's, or nobody's."""
    for junk in (b"", b"{}", b"[]", b"[1, 2, 3, 4]", b"null", b"\xff"):
        assert decoded(junk) is None
