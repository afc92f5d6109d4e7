import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exploration.budget import Budgets
from gateway.hedging.hedges import HEDGING, Hedges
from gateway.hedging.purse import Purse
from gateway.hedging.rules import HedgeRules
from gateway.quotas.memory_ledger import MemoryLedger

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVERY = HedgeRules(max_share=1.0)


def hedging(hedges, rules, requests=1):
    """Return what a policy may do after some requests."""
    found = hedges.of("p", rules)
    for _ in range(requests):
        found.requested()
    return found


def test_a_policy_without_rules_does_not_hedge():
    """It is off by default."""
    assert Hedges().of("p", None) is None


def test_the_share_is_the_policys():
    """Requests of one policy save nothing up for another; a later request finds what was saved up before."""
    hedges = Hedges()
    hedging(hedges, HedgeRules(max_share=0.5), requests=2)

    assert not hedges.of("q", EVERY).allow(Decimal(0), NOON)
    assert hedges.of("p", EVERY).allow(Decimal(0), NOON)
    assert not hedges.of("p", EVERY).allow(Decimal(0), NOON)


async def test_what_is_held_cannot_be_held_again():
    """Until it is known what it has cost."""
    rules = HedgeRules(max_share=1.0, max_usd_per_day=1.0)
    hedges = Hedges()
    found = hedging(hedges, rules, requests=5)
    assert found.allow(Decimal("0.6"), NOON)
    assert not found.allow(Decimal("0.6"), NOON)

    found.settle(Decimal("0.6"), Decimal("0.1"), NOON)
    assert found.allow(Decimal("0.6"), NOON)
    await hedges.purse.aclose()


async def test_what_may_not_be_is_not_held():
    """A request whose share is used up holds no money."""
    rules = HedgeRules(max_share=1.0, max_usd_per_day=1.0)
    hedges = Hedges()
    found = hedging(hedges, rules, requests=0)
    assert not found.allow(Decimal("0.6"), NOON)

    found.requested()
    assert found.allow(Decimal("0.6"), NOON)
    await hedges.purse.aclose()


@pytest.mark.parametrize(("rules", "allowed"), [(EVERY, True), (HedgeRules(max_share=1, max_usd_per_day=9), False)])
async def test_what_might_cost_anything_is_asked_only_where_money_is_not_bounded(rules, allowed):
    """A price that is unknown is not zero."""
    assert allowed is hedging(Hedges(), rules).allow(None, NOON)


async def test_another_day_has_its_own_money():
    """It ends at midnight, UTC."""
    rules = HedgeRules(max_share=1.0, max_usd_per_day=1.0)
    hedges = Hedges()
    found = hedging(hedges, rules, requests=5)
    assert found.allow(Decimal(1), NOON)
    found.settle(Decimal(1), Decimal(1), NOON)

    assert not found.allow(Decimal("0.1"), NOON)
    assert found.allow(Decimal("0.1"), NOON + timedelta(days=1))
    await hedges.purse.aclose()


async def test_exploring_spends_nothing_of_it():
    """Both are counted in one ledger, each under its own name."""
    ledger = MemoryLedger()
    exploring, purse = Budgets(ledger), Purse(Budgets(ledger, HEDGING))
    exploring.spend("p", 1.0, NOON)
    await exploring.aclose()

    assert 0.0 == exploring.left_usd("p", 1.0, NOON)
    assert purse.hold("p", 1.0, 1.0, NOON)
    await exploring.aclose()
    await purse.aclose()


#: What a hedge may cost at most in thousandths of a USD, what share of it it does cost, and how many end before the next.
HEDGED = st.tuples(st.integers(0, 400), st.floats(0, 1), st.integers(0, 3))


@given(st.lists(HEDGED, max_size=40), st.integers(0, 1000))
def test_no_more_is_spent_than_may_be(hedged, most):
    """However hedges overlap, and whatever they cost of what they may: the day's money is never exceeded."""
    rules = HedgeRules(max_share=1.0, max_usd_per_day=most / 1000)

    async def run():
        hedges, under_way, spent = Hedges(), [], Decimal(0)
        for thousandths, share, ending in hedged:
            found = hedging(hedges, rules)
            held = Decimal(thousandths) / 1000
            if found.allow(held, NOON):
                under_way.append((found, held, held * Decimal(share)))
            for one, of, cost in under_way[:ending]:
                one.settle(of, cost, NOON)
                spent += cost
            del under_way[:ending]
            assert spent + sum((of for _, of, _ in under_way), Decimal(0)) <= Decimal(most) / 1000 + Decimal("1e-9")
        await hedges.purse.aclose()

    asyncio.run(run())
