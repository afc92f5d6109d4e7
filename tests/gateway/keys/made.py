"""Keys and stores for the tests."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from gateway.keys.issuing import issued
from gateway.keys.key import KeyQuota, Scopes, VirtualKey
from gateway.keys.redis import RedisKeyStore
from gateway.keys.secret import new_secret
from gateway.keys.sqlite import SQLiteKeyStore
from gateway.sharing.link import Link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gateway.keys.store import KeyStore

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: Scopes in which nothing is as it is by default.
WHOLE = Scopes(
    models=("small",),
    deny_models=("large",),
    policies=("auto", "small"),
    data_class="internal",
    max_cost_usd=0.25,
    role="admin",
    team="blue",
    user="ann",
    tags=("a", "b"),
    debug=True,
    expires_at=AT + HOUR,
    quotas=(KeyQuota("usd", Decimal("5.50"), "month"), KeyQuota("concurrent", Decimal(4))),
)


def secret(n: int = 0) -> str:
    return new_secret(n.to_bytes(32, "big"))


def key(n: int = 0, name: str | None = None, **scopes: Any) -> VirtualKey:
    return issued(f"key_{n:032x}", name or f"name-{n}", replace(Scopes(), **scopes), secret(n), AT)


@asynccontextmanager
async def sqlite_store(path: Path) -> AsyncIterator[KeyStore]:
    store = SQLiteKeyStore(path)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def redis_store(url: str, prefix: str | None = None) -> AsyncIterator[KeyStore]:
    link = Link(url, prefix=prefix or f"{uuid4().hex}:", timeout_s=2)
    try:
        yield RedisKeyStore(link)
    finally:
        await link.aclose()
