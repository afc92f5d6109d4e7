"""A router whose sums are held by spans of time learns the same whenever, and in whatever pieces, it is told."""

from __future__ import annotations

import contextlib

from gateway.learning.counting import Pupil
from gateway.store.base import Selection
from gateway.store.memory import MemoryStore
from gateway.store.samples import NOON
from routers.lin_ucb import LinUcb
from tests.gateway.learning.lessons import decision, in_memory, learn_all, outcome, rating, subject

DAY = 86_400


def told(pieces, *erased):
    """Return what was learned of events that were read piece by piece, and of deletions after that."""
    log = MemoryStore()
    with contextlib.closing(in_memory()) as book:
        for piece in pieces:
            log.append(piece)
            learn_all(log, book, Pupil(subject(), LinUcb()))
        for feedback in erased:
            log.erase(Selection(id=feedback), NOON)
        return learn_all(log, book, Pupil(subject(), LinUcb())).progress("auto").share


def day(number):
    """Return ten rated answers of a day."""
    places = range(number * DAY, number * DAY + 1000, 100)
    return [
        event
        for place in places
        for event in (decision(place), outcome(place), rating(f"r{place}", place, place % 300 / 300))
    ]


def test_days_are_put_together_as_if_they_had_been_read_at_once():
    """To the bit; and there are fewer parts than there are minutes."""
    days = [day(number) for number in range(8)]
    apart, once = told(days), told([[event for one in days for event in one]])

    assert apart.same(once)
    assert apart.fingerprint() == once.fingerprint()
    assert len(apart.sums.parts) < 40


def test_what_is_erased_after_its_span_has_grown_leaves_no_trace():
    """Days later it is taken out of whatever it was put together with."""
    days = [day(number) for number in range(8)]
    without = [event for one in days for event in one if getattr(event, "id", None) != "r300"]

    assert told(days, "r300").same(told([without]))
