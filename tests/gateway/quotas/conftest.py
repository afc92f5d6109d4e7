"""A real Redis, and ledgers of all kinds."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.shared import shared_ledger
from gateway.sharing.link import Link
from gateway.workers.ledger import TeamLedger
from gateway.workers.table import Table
from tests.gateway.workers.pairs import joined
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from gateway.quotas.ledger import Ledger
    from tests.redis_server import RedisServer

_WORLDS = count()


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Serve a Redis that nobody stops."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def replicas(shared_redis: RedisServer) -> AsyncIterator[Callable[..., Ledger]]:
    """Return a function that opens one more ledger over the same data in Redis."""
    links: list[Link] = []
    prefix = f"test-{next(_WORLDS)}:"

    def one_more(
        url: str = shared_redis.url, *, away: str = "closed", timeout_s: float = 10.0, **options: int
    ) -> Ledger:
        links.append(Link(url, prefix=prefix, timeout_s=timeout_s))
        return shared_ledger(links[-1], replica=f"replica-{len(links)}", away=away, **options)

    yield one_more
    for link in links:
        await link.aclose()


@pytest.fixture(params=["memory", "redis", "team"])
async def ledger(request: pytest.FixtureRequest, replicas: Callable[..., Ledger]) -> AsyncIterator[Ledger]:
    """Return an empty ledger, of any kind."""
    if request.param == "team":
        async with joined(Table().answering) as channel:
            yield TeamLedger(channel, "worker")
    else:
        yield MemoryLedger() if request.param == "memory" else replicas()
