"""Both stores of keys, each empty."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.gateway.keys.made import redis_store, sqlite_store
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gateway.keys.store import KeyStore
    from tests.redis_server import RedisServer


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["file", "redis"])
def open_store(request, tmp_path: Path) -> Callable[[], AbstractAsyncContextManager[KeyStore]]:
    """Return a function that opens the same store again and again, as another process would."""
    path, prefix = tmp_path / "keys.db", f"{uuid4().hex}:"
    url = request.getfixturevalue("shared_redis").url if request.param == "redis" else ""

    @asynccontextmanager
    async def opened() -> AsyncIterator[KeyStore]:
        async with redis_store(url, prefix) if url else sqlite_store(path) as store:
            yield store

    return opened
