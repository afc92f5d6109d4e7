from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.policy import Stickiness
from gateway.sessions import Last
from gateway.stickiness import Grip, grip, held
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.fixed import Fixed
from routers.random_choice import RandomChoice
from routers.rules.greedy import Greedy
from routers.types import Candidate, Incumbent, Price

POOL = (Candidate("a", Price(Decimal(2), Decimal(4), Decimal("0.5"))), Candidate("b"))
SESSION = {"session.continues": True, "agent.loop_open": False, "history_tokens": 1000.0}
LOOP = {**SESSION, "agent.loop_open": True}
LAST = Last("a", 100.0)
BOTH = Stickiness(idle_s=60)


@pytest.mark.parametrize(
    ("stickiness", "features", "last", "now", "why"),
    [
        (BOTH, SESSION, LAST, 160, "session"),
        (BOTH, SESSION, LAST, 160.1, None),
        (BOTH, LOOP, LAST, 10_000, "tool_loop"),
        (BOTH, {**SESSION, "session.continues": False}, LAST, 101, None),
        (BOTH, {}, LAST, 101, None),
        (BOTH, SESSION, None, 101, None),
        (BOTH, LOOP, Last("gone", 100), 101, None),
        (Stickiness(tool_loop=False), LOOP, LAST, 101, "session"),
        (Stickiness(session=False), LOOP, LAST, 101, "tool_loop"),
        (Stickiness(session=False), SESSION, LAST, 101, None),
        (Stickiness(tool_loop=False, session=False), LOOP, LAST, 101, None),
    ],
)
def test_what_binds_a_request_to_who_answered_last(stickiness, features, last, now, why):
    """A loop of tools binds for as long as it takes, a session while its cache is warm; a model that is gone never."""
    tie = grip(stickiness, features, last, POOL, now)

    assert why == (tie.why if tie else None)


def test_what_the_cache_saves_is_counted_in_a_session():
    """1000 tokens at 2 - 0.5 USD a million; a model without a price for cached tokens saves nothing that is known."""
    assert Incumbent("a", 0.0015) == grip(BOTH, SESSION, LAST, POOL, 101).incumbent
    assert Incumbent("b", 0.0) == grip(BOTH, SESSION, Last("b", 100), POOL, 101).incumbent
    without = {key: value for key, value in SESSION.items() if key != "history_tokens"}
    assert Incumbent("a", 0.0) == grip(BOTH, without, LAST, POOL, 101).incumbent


def test_a_cache_that_costs_more_saves_nothing():
    """A price that makes the incumbent dearer is no reason to leave it."""
    odd = (Candidate("a", Price(Decimal(1), Decimal(1), Decimal(3))),)

    assert Incumbent("a", 0.0) == grip(BOTH, SESSION, LAST, odd, 101).incumbent


def test_a_router_that_can_tell_what_a_change_gains_decides_within_a_session():
    """In a loop of tools nobody decides, and a router that cannot tell stays."""
    estimating = EstimatingRouter(Constant(), Greedy())
    in_session, in_loop = (Grip(why, Incumbent("a")) for why in ("session", "tool_loop"))

    assert Incumbent("a") == held(estimating, in_session).incumbent
    assert estimating.incumbent is None
    assert isinstance(held(estimating, in_loop), Fixed)
    assert isinstance(held(RandomChoice(), in_session), Fixed)
    assert held(estimating, None) is estimating
