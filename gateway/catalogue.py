"""Prices of vendors' models as genai-prices lists them. It is imported only where a vendor is in that catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from genai_prices import Usage as CatalogueUsage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

from gateway.pricing import Listing, completion_parts, prompt_parts
from routers.types import Price

if TYPE_CHECKING:
    from decimal import Decimal

    from genai_prices.types import ModelPrice

    from providers.types import Usage

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


def listing(catalogue: str, model: str) -> Listing | None:
    """Return what the catalogue holds of a vendor's model; None where it does not list it."""
    try:
        _, listed = get_snapshot().find_provider_model(model, None, catalogue, None)
    except LookupError:
        return None
    entry = listed.get_prices(datetime.now(UTC))
    priced = entry.input_mtok is not None and entry.output_mtok is not None
    return Listing(CatalogueTariff(entry) if priced else None, listed.context_window)


def _base(price: Decimal | TieredPrices | None) -> Decimal:
    if price is None:
        raise ValueError("a tariff without a price is no tariff")
    return price.base if isinstance(price, TieredPrices) else price
