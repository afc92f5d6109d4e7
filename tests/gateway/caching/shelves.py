"""The shelves that every test of them runs over, and items to put on them."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np

from gateway.caching.memory import MemoryShelf
from gateway.caching.question import Near
from gateway.caching.redis_shelf import RedisShelf
from gateway.caching.shelf import Item
from gateway.sharing.link import Link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.caching.shelf import Shelf
    from tests.redis_server import RedisServer

NOW = 1_700_000_000.0
MUCH = 10_000_000


@asynccontextmanager
async def linked(server: RedisServer, prefix: str = "", timeout_s: float = 2.0) -> AsyncIterator[Link]:
    link = Link(server.url, prefix=prefix or f"t{time.monotonic_ns()}:", timeout_s=timeout_s)
    try:
        yield link
    finally:
        await link.aclose()


@asynccontextmanager
async def opened(kind: str, server: RedisServer, max_bytes: int = MUCH) -> AsyncIterator[Shelf]:
    """Return an empty shelf."""
    if kind == "memory":
        yield MemoryShelf(max_bytes)
        return
    async with linked(server) as link:
        yield RedisShelf(link, max_bytes)


def key(name: str) -> bytes:
    return name.encode().ljust(32, b".")


def item(name: str, value: bytes = b"value", *, ttl_s: float = 60.0, near: Near | None = None) -> Item:
    return Item(key(name), value, ttl_s, near)


def near(*numbers: float, bucket: str = "b", text: str = "") -> Near:
    """Return a question whose vector points where the numbers say."""
    vector = np.array(numbers, np.float32)
    return Near(key(bucket), text or f"at {numbers}", vector / np.linalg.norm(vector))
