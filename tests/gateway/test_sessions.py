from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.sessions import Last, Sessions


def test_who_answered_last_is_remembered():
    """The latest counts; a session that is not known has nobody."""
    sessions = Sessions()
    sessions.note("p", "s", "a", 1.0)
    sessions.note("p", "s", "b", 2.0)

    assert Last("b", 2.0) == sessions.last("p", "s")
    assert sessions.last("p", "t") is None
    assert sessions.last("q", "s") is None


@given(st.lists(st.integers(0, 8), max_size=40), st.integers(1, 5))
def test_memory_is_bounded_and_forgets_the_longest_silent(noted, bound):
    """Those kept are the latest ones noted, in any order of noting."""
    sessions = Sessions(max_sessions=bound)
    for at, n in enumerate(noted):
        sessions.note("p", str(n), "m", float(at))

    latest = [*dict.fromkeys(reversed(noted))][:bound]
    assert {str(n) for n in latest} == {str(n) for n in range(9) if sessions.last("p", str(n)) is not None}
