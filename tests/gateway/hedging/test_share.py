from hypothesis import given
from hypothesis import strategies as st

from gateway.hedging.share import MOST, Share


def taken(share, wanted):
    """Return which of the requests that want to be hedged are."""
    left = Share()
    found = []
    for wants in wanted:
        left.requested(share)
        found.append(wants and left.take())
    return found


@given(st.floats(0.001, 1), st.lists(st.booleans(), max_size=300))
def test_no_more_than_the_share_is_hedged(share, wanted):
    """From the start on, and of any requests in a row no more than the share and what could be saved up."""
    found = taken(share, wanted)

    for end in range(len(found) + 1):
        assert sum(found[:end]) <= share * end + 1e-6
        assert sum(found[max(end - 50, 0) : end]) <= share * min(50, end) + MOST + 1e-6


def test_the_whole_share_can_be_had():
    """A tenth of the requests is one in ten."""
    assert 10 == sum(taken(0.1, [True] * 100))
    assert 100 == sum(taken(1.0, [True] * 100))


def test_little_is_saved_up():
    """A quiet week does not pay for a bad hour."""
    assert MOST == sum(taken(0.05, [False] * 10_000 + [True] * 12))
