import math
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from routers.costs.energy import Energy
from routers.costs.running import Running
from routers.observations import Observations
from routers.registry import build_router
from routers.sums import Sums
from routers.types import Candidate, Context, Joules, Outcomes, Price

PRICE = Price(input=Decimal(1), output=Decimal(2))
HELLO = Context("hello", prompt_tokens=1000)
START = 1.7e9


def told(**tokens):
    """Return one answer of each model, of so many tokens."""
    n = len(tokens)
    gap = np.full(n, np.nan)
    lengths = np.array(list(tokens.values()), np.float64)
    return Observations([HELLO] * n, list(tokens), gap, np.ones(n), np.ones(n), gap, lengths, gap, np.full(n, START))


def test_energy_is_joules_times_the_price_of_a_kwh():
    """1000 tokens at 0.1 J and 500 at 2 J are 1100 J; at 3.6 USD a kWh a joule is a millionth."""
    energy = Energy(usd_per_kwh=3.6)
    energy.absorb(energy.sums(told(a=500.0)), START)

    assert pytest.approx(1100e-6) == energy.predict([HELLO], [Candidate("a", joules=Joules(0.1, 2.0))])[0, 0]


def test_energy_comes_on_top_of_money():
    """1000 tokens at 1 USD a million and 500 at 2 are 0.002 USD."""
    energy = Energy(usd_per_kwh=3.6, costs=Running())
    energy.absorb(energy.sums(told(a=500.0)), START)

    assert (
        pytest.approx(0.002 + 1100e-6) == energy.predict([HELLO], [Candidate("a", PRICE, joules=Joules(0.1, 2))])[0, 0]
    )


def test_what_is_unknown_is_not_zero():
    """Neither energy without money nor money without energy is a cost."""
    energy = Energy(costs=Running())
    unknown = [Candidate("a", PRICE), Candidate("b", joules=Joules(1, 1))]

    assert np.isnan(energy.predict([HELLO], unknown)).all()
    assert 0.0 == energy.reference_usd(unknown)


def test_other_costs_learn_beside_it_without_being_counted_twice():
    """Both know how long completions are, each by sums of its own."""
    energy, alone = Energy(costs=Running()), Running()
    sums = energy.sums(told(a=500.0)) + energy.sums(told(a=100.0))
    energy.absorb(sums, START)
    alone.absorb(alone.sums(told(a=500.0)) + alone.sums(told(a=100.0)), START)

    assert energy.costs.predict([HELLO], [Candidate("a", PRICE)]) == alone.predict([HELLO], [Candidate("a", PRICE)])
    assert sums - energy.sums(told(a=500.0)) - energy.sums(told(a=100.0)) == Sums()


def test_a_price_that_is_none_is_refused():
    """A kWh costs something."""
    with pytest.raises(ValueError, match="usd_per_kwh=0"):
        Energy(usd_per_kwh=0)


def test_accuracy_and_energy_are_weighed_as_greenserv_does():
    """Half accuracy and half the energy saved: 0.5 * 0.9 + 0 against 0.5 * 0.7 + 0.5 * 0.75."""
    router = build_router(
        {
            "type": "epsilon_greedy",
            "epsilon": 0,
            "min_epsilon": 0,
            "quality_weight": 0.5,
            "utility": {"type": "preference", "quality": 1, "cost": 1},
            "costs": {"type": "energy"},
        }
    )
    rewards = np.array([[0.9, 0.7]] * 2000, np.float32)
    tokens = np.full_like(rewards, 200)
    gap = np.full_like(rewards, math.nan)
    router.learn(Outcomes(("large", "small"), np.zeros((2000, 2), np.float32), rewards, gap, tokens))
    pool = [Candidate("large", joules=Joules(0.0, 4.0)), Candidate("small", joules=Joules(0.0, 1.0))]
    call = next(router.plan(HELLO, pool, Random(0)))

    assert "small" == call.best
    assert pytest.approx(4.0) == call.expected_cost_usd["large"] / call.expected_cost_usd["small"]
    assert "large" == next(router.with_quality_weight(1).plan(HELLO, pool, Random(0))).best
