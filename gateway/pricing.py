"""What an answer costs: prices from the configuration, else from the catalogue (genai-prices), else unknown."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from routers.types import Price

if TYPE_CHECKING:
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
    """Prices as the configuration states them, in USD per million tokens; a kind without one costs as the rest."""

    price: Price
    cache_write: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None

    def cost_usd(self, usage: Usage) -> Decimal:
        """Return what the tokens cost: each once, at the price of its kind."""
        plain, output = self.price.input, self.price.output
        if not (
            usage.cached_tokens
            or usage.cache_write_tokens
            or usage.audio_prompt_tokens
            or usage.audio_completion_tokens
        ):  # as of most answers, in a sixth of the time
            return (usage.prompt_tokens * plain + usage.completion_tokens * output) / MILLION
        cached, written, heard, _ = prompt_parts(usage)
        spoken, _ = completion_parts(usage)
        text_in = usage.prompt_tokens - cached - written - heard
        cost = text_in * plain + (usage.completion_tokens - spoken) * output
        cost += cached * _or(self.price.cached_input, plain) + written * _or(self.cache_write, plain)
        cost += heard * _or(self.audio_input, plain) + spoken * _or(self.audio_output, output)
        return cost / MILLION


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
    # Who has no vendor of the catalogue's does without it: 12 MB, and 0.1 s at every start.
    listing: Listing | None = import_module("gateway.catalogue").listing(catalogue, model)
    return listing or UNLISTED


def _disjoint(total: int, parts: tuple[int, ...]) -> tuple[int, ...]:
    """Return each part, cut to what the ones before it leave of the total: audio that was cached costs as cached."""
    kept = []
    for part in parts:
        kept.append(min(part, total))
        total -= kept[-1]
    return tuple(kept)


def _or(price: Decimal | None, other: Decimal) -> Decimal:
    return other if price is None else price
