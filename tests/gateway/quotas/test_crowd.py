from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.quotas.crowd import OTHERS, Crowd, named
from gateway.quotas.windows import Window

FIRST, SECOND = Window(0, 60_000), Window(60_000, 120_000)
#: Whatever a client may send as JSON, half a character included.
NAMES = st.text(st.characters(exclude_categories=()))


def test_users_that_are_too_many_share_one_count():
    """Who has a count of its own keeps it, in that window; a new window has room again."""
    crowd = Crowd(max_users=2)

    assert ["=a", "=b", OTHERS, "=a", OTHERS] == [crowd.counted("q", FIRST, user) for user in "abcad"]
    assert ["=d", "=c", OTHERS] == [crowd.counted("q", SECOND, user) for user in "dca"]
    assert "=c" == crowd.counted("other quota", FIRST, "c")
    assert "=z" == crowd.counted("q", FIRST, "z")


def test_places_are_counted_for_each_user():
    """Requests under way are few, however many users there are."""
    crowd = Crowd(max_users=1)

    assert ["=a", "=b", "=c"] == [crowd.counted("parallel", None, user) for user in "abc"]


@given(NAMES, NAMES)
def test_names_are_short_printable_and_never_confused(one, other):
    """Whatever a client calls its user can be sent, and no two are the same, nor are they the others."""
    assert (one == other) == (named(one) == named(other))
    assert named(one).isprintable()
    assert len(named(one).encode()) <= 4 * 65
    assert named(one) != OTHERS
