from __future__ import annotations

from decimal import Decimal

from gateway.keys.key import KeyQuota
from gateway.quotas.own import own_quotas
from gateway.quotas.types import Quota


def test_a_keys_quotas_are_counted_like_any():
    """Each is called after what it counts; money is in nano-dollars, and no more than can be counted."""
    written = (
        KeyQuota("usd", Decimal("1.5"), "month"),
        KeyQuota("concurrent", Decimal(3)),
        KeyQuota("usd", Decimal(10**15), "day"),
    )

    assert (
        Quota("usd-month", "key", "usd", 1_500_000_000, "month", own=True),
        Quota("concurrent", "key", "concurrent", 3, None, own=True),
        Quota("usd-day", "key", "usd", 2**53 - 1, "day", own=True),
    ) == own_quotas(written)
