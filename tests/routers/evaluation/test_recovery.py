from __future__ import annotations

import numpy as np

from routers.evaluation.recovery import recovery

BEFORE, UNAWARE = np.full(500, 0.1), np.full(500, 0.5)


def after(*stretches):
    """Return what is lost: 0.1 for 500 requests, then so much for so many, and of who learned nothing."""
    lost = np.concatenate([BEFORE, *(np.full(n, value) for n, value in stretches)])
    return lost, np.concatenate([np.full(500, np.nan), UNAWARE])


def test_back_is_when_a_twentieth_of_the_stream_lost_no_more_than_before():
    """The window of 50 is clean 50 requests after the loss ends, but for a tenth of the drop: 5 of them."""
    found = recovery(*after((100, 0.5), (400, 0.1)), 500, 1000)

    assert (0.1, 0.4, 145) == (round(found.before, 9), round(found.drop, 9), found.rows)


def test_who_never_comes_back_has_no_number():
    """All the rest is lost."""
    assert recovery(*after((500, 0.3)), 500, 1000).rows is None


def test_the_next_change_ends_the_time():
    """What is right only after it does not count."""
    assert recovery(*after((200, 0.5), (300, 0.1)), 500, 700).rows is None


def test_where_nothing_is_lost_nobody_has_to_come_back():
    """Who decided as well without having learned is back at once."""
    lost = np.full(1000, 0.1)

    assert 0 == recovery(lost, lost, 500, 1000).rows
