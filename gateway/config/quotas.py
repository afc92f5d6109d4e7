"""Turns quotas as written into those that are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.loader import did_you_mean
from gateway.config.quota_models import QuotaConfig
from gateway.quotas.types import Quota
from gateway.store.money import to_nanos

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gateway.config.loader import Document, Place
    from gateway.config.quota_models import OwnQuotaConfig

#: The share used from which on money is dearer, with `when_out: downgrade`.
CHEAPER_FROM = 0.8


def build_quotas(configs: Sequence[OwnQuotaConfig]) -> tuple[Quota, ...]:
    """Return the quotas that are counted; those without a `per` are a key's own."""
    return tuple(_quota(config) for config in configs)


def wrong_quotas(
    configs: Sequence[OwnQuotaConfig], document: Document, place: Place, known: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Yield a line for each name that two quotas have, and for each holder that does not exist.

    `place` is where the list stands; `known` has the names that there are, by `per`; without an entry any will do.
    """
    names: set[str] = set()
    for n, config in enumerate(configs):
        if config.name in names:
            yield document.at((*place, n, "name"), f"there are two quotas {config.name!r}: they would share a count")
        names.add(config.name)
        if isinstance(config, QuotaConfig) and config.per in known:
            for m, holder in enumerate(config.of or ()):
                if holder not in known[config.per]:
                    hint = did_you_mean(holder, known[config.per])
                    yield document.at((*place, n, "of", m), f"there is no {config.per} {holder!r}; {hint}")


def _quota(config: OwnQuotaConfig) -> Quota:
    shared = config if isinstance(config, QuotaConfig) else None
    cheaper_from = CHEAPER_FROM if config.from_ is None else config.from_
    return Quota(
        name=config.name,
        per=shared.per if shared else "key",
        unit=config.unit,
        amount=to_nanos(config.amount) if config.unit == "usd" else int(config.amount),
        window=config.window,
        of=frozenset(shared.of) if shared and shared.of is not None else None,
        cheaper_from=cheaper_from if config.when_out == "downgrade" else None,
        refuses_unpriced=config.unpriced == "refuse",
        paced=config.pace,
        own=shared is None,
    )
