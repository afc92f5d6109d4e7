"""Opens the ledger that replicas share. It is imported only where Redis is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.quotas.ledger import TTL_MS
from gateway.quotas.redis_ledger import RedisLedger
from gateway.quotas.remote import Remote

if TYPE_CHECKING:
    from gateway.quotas.redis_ledger import Away
    from gateway.sharing.link import Link


def shared_ledger(link: Link, *, replica: str, away: Away, ttl_ms: int = TTL_MS) -> RedisLedger:
    """Return the ledger behind a link; `replica` names this process as no other, and not as it was named before."""
    return RedisLedger(Remote(link, replica=replica), ttl_ms=ttl_ms, away=away)
