from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue import CatalogueTariff
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


KINDS = st.integers(0, 300)
ANY_USAGE = st.builds(Usage, KINDS, KINDS, KINDS, KINDS, KINDS, KINDS, KINDS, KINDS, KINDS)


@given(ANY_USAGE)
def test_every_token_has_exactly_one_price(usage):
    """At one price for all kinds the parts do not matter, even where they are more than the whole."""
    one = Decimal(3)
    tariff = flat(
        PriceConfig(input=one, output=one, cached_input=one, cache_write=one, audio_input=one, audio_output=one)
    )

    assert (usage.prompt_tokens + usage.completion_tokens) * one == tariff.cost_usd(usage) * 1_000_000


def test_each_kind_has_its_own_price():
    """Cache, audio in, audio out; a kind without one costs as the rest."""
    prices = {"cached_input": 1, "cache_write": 100, "audio_input": 1000, "audio_output": 10_000}
    usage = Usage(40, 20, 10, 10, 5, 10, 10)

    own = flat(PriceConfig(input=10, output=50, **prices)).cost_usd(usage)
    plain = flat(PriceConfig(input=10, output=50)).cost_usd(usage)

    assert (10 * 10 + 10 * 1 + 10 * 100 + 10 * 1000 + 10 * 50 + 10 * 10_000) == own * 1_000_000
    assert (40 * 10 + 20 * 50) == plain * 1_000_000


def test_the_catalogue_prices_kinds():
    """Writing to a cache costs more than reading from it; sound costs more than text."""
    claude = look_up("anthropic", "claude-sonnet-4-5").tariff
    audio = look_up("openai", "gpt-audio").tariff

    read, plain, written = (claude.cost_usd(Usage(1000, 0, *parts)) for parts in ((1000, 0), (0, 0), (0, 1000)))
    assert read < plain < written
    assert audio.cost_usd(Usage(1000, 0)) < audio.cost_usd(Usage(1000, 0, audio_prompt_tokens=1000))
    assert audio.cost_usd(Usage(0, 1000)) < audio.cost_usd(Usage(0, 1000, audio_completion_tokens=1000))


PRICED = [
    CatalogueTariff(entry)
    for vendor in get_snapshot().providers
    for model in vendor.models
    if (entry := model.get_prices(datetime(2026, 1, 1, tzinfo=UTC))).input_mtok is not None
    and entry.output_mtok is not None
]
#: One of each set of kinds that entries have prices for.
SHAPES = list({tuple(sorted(k for k, v in vars(one.entry).items() if v is not None)): one for one in PRICED}.values())


@given(ANY_USAGE, st.sampled_from(SHAPES))
def test_the_catalogue_takes_any_usage(usage, tariff):
    """Whatever kinds an entry prices, and however the parts overlap: a cost, and no exception."""
    assert tariff.cost_usd(usage) >= 0


def test_the_catalogue_takes_all_kinds_at_once():
    """An entry with a price for cached sound is content with sound that was not cached."""
    joined = [one for one in SHAPES if vars(one.entry).get("cache_audio_read_mtok") is not None]

    assert joined
    for tariff in joined:
        assert tariff.cost_usd(Usage(100, 100, 10, 10, 5, 10, 10, 10, 10)) > 0
