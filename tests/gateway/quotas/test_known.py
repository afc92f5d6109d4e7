from __future__ import annotations

from gateway.quotas.known import Known
from gateway.quotas.ledger import KEPT_MS, Level
from gateway.quotas.messages import Sum


def test_the_latest_is_known_as_far_as_memory_goes():
    """What was not heard of for longest is forgotten, and counts as nothing."""
    known = Known(max_counters=2)
    for counter, used in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        known.note(counter, Level(used, 0), KEPT_MS)

    assert [Level(3, 0), Level(), Level(4, 0)] == [known.level(counter) for counter in "abc"]


def test_what_is_restored_was_used_in_a_window_that_goes_on():
    """What was held is not: those who hold it say so themselves."""
    known = Known()
    known.note("over", Level(5, 0), KEPT_MS + 1000)
    known.note("on", Level(6, 7), KEPT_MS + 1001)
    known.note("held", Level(0, 7), KEPT_MS + 1001)

    assert [Sum("on", 0, 6, KEPT_MS + 1001)] == list(known.lost(1000))
