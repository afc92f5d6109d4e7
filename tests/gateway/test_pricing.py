from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateway.config.models import PriceConfig
from gateway.pricing import flat, look_up
from providers.types import Usage

COUNTS = st.integers(0, 10**9)
PRICES = st.decimals(0, 1000, places=6)


@given(COUNTS, COUNTS, COUNTS, PRICES, PRICES, PRICES)
def test_a_flat_tariff_is_exact(fresh, cached, completion, price, cached_price, output):
    """Every token is charged once, at its own price, without rounding."""
    tariff = flat(PriceConfig(input=price, output=output, cached_input=cached_price))

    cost = tariff.cost_usd(Usage(fresh + cached, completion, cached))

    assert fresh * price + cached * cached_price + completion * output == cost * 1_000_000


def test_cached_tokens_cost_as_others_unless_they_have_a_price():
    """What is not said to be cheaper is not."""
    tariff = flat(PriceConfig(input=Decimal(1), output=Decimal(2)))

    assert Decimal("0.000010") == tariff.cost_usd(Usage(10, 0, 5))


def test_the_catalogue_knows_vendors_models():
    """Price and context window of a hosted model, with a price of its own for cached tokens."""
    listing = look_up("openai", "gpt-5-nano")

    assert 400_000 == listing.context_window
    assert listing.tariff.cost_usd(Usage(1000, 0, 1000)) < listing.tariff.cost_usd(Usage(1000, 0))
    assert listing.tariff.price.output > listing.tariff.price.input > 0


def test_what_the_catalogue_does_not_list_is_unknown():
    """Neither an error nor zero."""
    assert look_up("openai", "no-such-model").tariff is None
    assert look_up(None, "gpt-5").tariff is None
