"""What an answer costs: prices from the configuration, else from the catalogue (genai-prices), else unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from genai_prices import Usage as CatalogueUsage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

from routers.types import Price

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

    from gateway.config.models import PriceConfig
    from providers.types import Usage

MILLION = Decimal(1_000_000)


class Tariff(Protocol):
    """Knows what tokens cost."""

    @property
    def price(self) -> Price:
        """Return the plain price, by which costs are foreseen."""
        ...

    def cost_usd(self, usage: Usage) -> Decimal:
        """Return what the tokens of an answer cost, in USD, exactly."""
        ...


@dataclass(frozen=True, slots=True)
class FlatTariff:
    """Prices as the configuration states them, in USD per million tokens."""

    price: Price

    def cost_usd(self, usage: Usage) -> Decimal:
        """Return what the tokens cost; cached prompt tokens have their own price."""
        fresh = usage.prompt_tokens - usage.cached_tokens
        cached = self.price.input if self.price.cached_input is None else self.price.cached_input
        cost = fresh * self.price.input + usage.cached_tokens * cached
        return (cost + usage.completion_tokens * self.price.output) / MILLION


@dataclass(frozen=True, slots=True)
class CatalogueTariff:
    """Prices of a vendor's model in the catalogue, with their tiers."""

    entry: ModelPrice

    @property
    def price(self) -> Price:
        """Return the price of the first tier."""
        cached = self.entry.cache_read_mtok
        return Price(
            _base(self.entry.input_mtok), _base(self.entry.output_mtok), None if cached is None else _base(cached)
        )

    def cost_usd(self, usage: Usage) -> Decimal:
        """Return what the tokens cost."""
        counted = CatalogueUsage(
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.completion_tokens,
            cache_read_tokens=usage.cached_tokens,
        )
        return self.entry.calc_price(counted)["total_price"]


@dataclass(frozen=True, slots=True)
class Listing:
    """What the catalogue knows of a model."""

    tariff: Tariff | None
    context_window: int | None


UNLISTED = Listing(None, None)


def flat(price: PriceConfig) -> FlatTariff:
    """Return the tariff that the configuration states."""
    return FlatTariff(Price(price.input, price.output, price.cached_input))


def look_up(catalogue: str | None, model: str) -> Listing:
    """Return what the catalogue holds of a vendor's model; nothing where it does not list it."""
    if catalogue is None:
        return UNLISTED
    try:
        _, listed = get_snapshot().find_provider_model(model, None, catalogue, None)
    except LookupError:
        return UNLISTED
    entry = listed.get_prices(datetime.now(UTC))
    priced = entry.input_mtok is not None and entry.output_mtok is not None
    return Listing(CatalogueTariff(entry) if priced else None, listed.context_window)


def _base(price: Decimal | TieredPrices | None) -> Decimal:
    if price is None:
        raise ValueError("a tariff without a price is no tariff")
    return price.base if isinstance(price, TieredPrices) else price
