"""The quotas that a virtual key brings along."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.quotas.claims import MOST
from gateway.quotas.types import Quota
from gateway.store.money import to_nanos

if TYPE_CHECKING:
    from gateway.keys.key import KeyQuota


@lru_cache(maxsize=4096)
def own_quotas(quotas: tuple[KeyQuota, ...]) -> tuple[Quota, ...]:
    """Return a key's own quotas as they are counted: each is called after its unit and window, as in `usd-month`."""
    return tuple(_own(quota) for quota in quotas)


def _own(quota: KeyQuota) -> Quota:
    name = f"{quota.unit}-{quota.window}" if quota.window else quota.unit
    amount = to_nanos(quota.amount) if quota.unit == "usd" else int(quota.amount)
    return Quota(name, "key", quota.unit, min(amount, MOST), quota.window, own=True)
