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

#: The catalogue's names for `prompt_parts` and `completion_parts`.
CATALOGUE_PARTS = (
    "cache_read_tokens",
    "cache_write_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "output_audio_tokens",
    "output_image_tokens",
)
#: Tokens of two kinds at once, which no endpoint counts: the catalogue, where it has a price for them, wants a number.
NO_OVERLAP = {f"cache_{kind}_{way}_tokens": 0 for kind in ("audio", "image") for way in ("read", "write")}


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
    """Prices as the configuration states them, in USD per million tokens; a kind without one costs as the rest."""

    price: Price
    cache_write: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None

    def cost_usd(self, usage: Usage) -> Decimal:
        """Return what the tokens cost: each once, at the price of its kind."""
        plain, output = self.price.input, self.price.output
        cached, written, heard, _ = prompt_parts(usage)
        spoken, _ = completion_parts(usage)
        text_in = usage.prompt_tokens - cached - written - heard
        cost = text_in * plain + (usage.completion_tokens - spoken) * output
        cost += cached * _or(self.price.cached_input, plain) + written * _or(self.cache_write, plain)
        cost += heard * _or(self.audio_input, plain) + spoken * _or(self.audio_output, output)
        return cost / MILLION


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
        """Return what the tokens cost: each once, at the price of its kind, where the catalogue has one."""
        parts = zip(CATALOGUE_PARTS, (*prompt_parts(usage), *completion_parts(usage)), strict=True)
        counted = {name: count for name, count in parts if count}
        if len(counted) > 1:
            counted = NO_OVERLAP | counted
        counted |= {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens}
        return self.entry.calc_price(CatalogueUsage(**counted))["total_price"]


@dataclass(frozen=True, slots=True)
class Listing:
    """What the catalogue knows of a model."""

    tariff: Tariff | None
    context_window: int | None


UNLISTED = Listing(None, None)


def flat(price: PriceConfig) -> FlatTariff:
    """Return the tariff that the configuration states."""
    plain = Price(price.input, price.output, price.cached_input)
    return FlatTariff(plain, price.cache_write, price.audio_input, price.audio_output)


def prompt_parts(usage: Usage) -> tuple[int, ...]:
    """Return a prompt's cached, cache-write, audio and image tokens, none of them counted twice."""
    kinds = (usage.cached_tokens, usage.cache_write_tokens, usage.audio_prompt_tokens, usage.image_prompt_tokens)
    return _disjoint(usage.prompt_tokens, kinds)


def completion_parts(usage: Usage) -> tuple[int, ...]:
    """Return a completion's audio and image tokens, none of them counted twice."""
    return _disjoint(usage.completion_tokens, (usage.audio_completion_tokens, usage.image_completion_tokens))


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


def _disjoint(total: int, parts: tuple[int, ...]) -> tuple[int, ...]:
    """Return each part, cut to what the ones before it leave of the total: audio that was cached costs as cached."""
    kept = []
    for part in parts:
        kept.append(min(part, total))
        total -= kept[-1]
    return tuple(kept)


def _or(price: Decimal | None, other: Decimal) -> Decimal:
    return other if price is None else price


def _base(price: Decimal | TieredPrices | None) -> Decimal:
    if price is None:
        raise ValueError("a tariff without a price is no tariff")
    return price.base if isinstance(price, TieredPrices) else price
