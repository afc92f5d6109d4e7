from __future__ import annotations

from gateway.health import LONGEST_REST_S, Health
from routers.types import Candidate

A, B = Candidate("a"), Candidate("b")


def test_a_model_that_fails_rests_longer_each_time():
    """Half a second, one, two, and at most 30 seconds."""
    health = Health()
    rests = []
    for _ in range(10):
        health.failed("a", now=0)
        rests.append(next(s for s in (0.4, 0.9, 1.9, 3.9, 7.9, 15.9, 29.9) if not health.rests("a", s + 0.1)))

    assert [0.4, 0.9, 1.9, 3.9, 7.9, 15.9, 29.9, 29.9, 29.9, 29.9] == rests
    assert not health.rests("a", LONGEST_REST_S)


def test_an_answer_ends_the_rest():
    """The count of failures begins anew."""
    health = Health()
    health.failed("a", now=0)
    health.failed("a", now=0)
    health.succeeded("a")
    assert not health.rests("a", 0)
    health.failed("a", now=0)

    assert not health.rests("a", 0.5)


def test_a_limited_model_rests_as_long_as_it_asks():
    """One second where it does not say, five minutes at most."""
    health = Health()
    health.limited("a", 0, 7)
    health.limited("b", 0, None)
    health.limited("c", 0, 1e9)

    assert [True, False, True, False, True, False] == [
        health.rests(model, now) for model, now in [("a", 6.9), ("a", 7), ("b", 0.9), ("b", 1), ("c", 299), ("c", 300)]
    ]


def test_resting_candidates_are_left_out_unless_all_rest():
    """A poor chance beats none."""
    health = Health()
    health.failed("a", now=0)
    assert (B,) == health.awake([A, B], 0)
    health.failed("b", now=0)

    assert (A, B) == health.awake([A, B], 0)
