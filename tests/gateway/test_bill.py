"""What a plan of several calls holds of its quotas."""

from __future__ import annotations

from decimal import Decimal

from gateway.bill import most_of
from gateway.constraints import Constraints
from gateway.eligibility import Demand
from gateway.quotas.types import Estimate
from routers.types import Candidate, Price

SMALL, LARGE = (
    Candidate("small", Price(Decimal(1), Decimal(2))),
    Candidate("large", Price(Decimal(10), Decimal(20))),
)


def demand(**constraints):
    return Demand(Constraints(**constraints), prompt_tokens=100, completion_tokens=50)


def test_a_plan_holds_so_many_calls_to_whoever_costs_most():
    """Whoever it will ask, it cannot take more."""
    assert Estimate(3 * 150, 3 * 2_000_000) == most_of(3, [SMALL, LARGE], demand())


def test_it_holds_no_more_than_it_may_spend():
    """A bound on its money is one on what it holds; tokens are held for all calls."""
    assert Estimate(3 * 150, 1_500_000) == most_of(3, [SMALL, LARGE], demand(max_cost_usd=0.0015))


def test_of_an_unknown_price_nothing_is_known():
    """As of a single call: what a quota makes of that is its own to say."""
    assert Estimate(2 * 150, None) == most_of(2, [SMALL, Candidate("free")], demand())
