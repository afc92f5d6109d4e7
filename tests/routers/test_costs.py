from decimal import Decimal

import numpy as np
import pytest

from routers.checks import check_costs
from routers.costs.mean import Mean
from routers.types import Candidate, Context, Outcomes, Price

NAN = np.nan
PRICED = Candidate("a", Price(input=Decimal(2), output=Decimal(10)))
THOUSAND = Context("", prompt_tokens=1000)


def learned(costs_usd=NAN, tokens=NAN):
    """Return costs that know one outcome of model a."""
    costs = Mean()
    cells = (np.array([[value]], np.float32) for value in (NAN, costs_usd, tokens))
    costs.learn(Outcomes(("a",), np.zeros((1, 2), np.float32), *cells))
    return costs


def usd(costs, candidate):
    """Return the cost to expect of a thousand tokens."""
    return costs.predict([THOUSAND], [candidate]).item()


def test_passes_the_battery():
    """As all costs must."""
    check_costs(Mean)


def test_prices_the_prompt_and_the_mean_completion():
    """1,000 tokens at 2 USD and 100 at 10 USD a million are 0.003 USD."""
    assert pytest.approx(0.003) == usd(learned(tokens=100), PRICED)


def test_price_comes_before_the_observed_cost():
    """A price changes without fitting: what was paid before does not matter."""
    assert pytest.approx(0.003) == usd(learned(costs_usd=7.0, tokens=100), PRICED)


def test_observed_cost_comes_before_a_guessed_length():
    """Where no completion was counted, what was paid is better evidence than a default length."""
    assert pytest.approx(7.0) == usd(learned(costs_usd=7.0), PRICED)


def test_model_without_price_costs_what_it_cost():
    """The mean of the observed costs stands in for the price."""
    assert pytest.approx(0.5) == usd(learned(costs_usd=0.5, tokens=100), Candidate("a"))


def test_model_without_outcomes_is_priced_at_a_default_length():
    """1,000 tokens at 2 USD and 256 at 10 USD a million."""
    assert pytest.approx(0.00456) == usd(Mean(), PRICED)


def test_unknown_cost_is_not_zero():
    """Neither price nor outcome: NaN."""
    assert np.isnan(usd(Mean(), Candidate("a")))


def test_free_model_costs_zero():
    """A price of zero is known."""
    free = Candidate("a", Price(input=Decimal(0), output=Decimal(0)))

    assert 0.0 == usd(Mean(), free)


def test_reference_is_the_dearest_on_an_average_request():
    """256 prompt tokens at 2 USD and 100 completion tokens at 10 USD; the unknown one is left out."""
    cheap = Candidate("b", Price(input=Decimal(1), output=Decimal(1)))

    assert pytest.approx(0.001512) == learned(tokens=100).reference_usd([cheap, PRICED, Candidate("c")])


def test_reference_is_unknown_where_every_cost_is():
    """Nothing to compare with: zero."""
    assert 0.0 == Mean().reference_usd([Candidate("c")])


def test_predicts_a_table():
    """A row for each context, a column for each candidate; none of either is an empty table."""
    costs = learned(tokens=100)

    assert pytest.approx(np.array([[0.003, 0.0], [0.005, 0.0]])) == costs.predict(
        [THOUSAND, Context("", prompt_tokens=2000)],
        [PRICED, Candidate("b", Price(input=Decimal(0), output=Decimal(0)))],
    )
    assert (0, 1) == costs.predict([], [PRICED]).shape
    assert (1, 0) == costs.predict([THOUSAND], []).shape
