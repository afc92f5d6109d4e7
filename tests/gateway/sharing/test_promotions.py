"""The register of two replicas, over one real Redis."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from gateway.promotion.machine import begin, last_standing, move, standing_after
from gateway.promotion.reading import DirectLog
from gateway.promotion.types import ROLLED_BACK, Stage, Step
from gateway.sharing.link import Link
from gateway.sharing.promotions import SharedRegister
from gateway.store.memory import MemoryStore
from routers.sums import Sums
from tests.gateway.promotion.evidence import AT, RULES, evidence, standing
from tests.redis_server import redis_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
async def replicas(server):
    """Return two registers, each with a log of its own."""
    prefix = f"p{time.monotonic_ns()}"
    links = [Link(server.url, prefix=prefix, timeout_s=1) for _ in range(2)]
    logs = [MemoryStore() for _ in links]
    yield [SharedRegister(links[n], f"r{n}", DirectLog(logs[n]), logs[n]) for n in range(2)], logs
    for link in links:
        await link.aclose()


async def test_one_of_two_moves_wins(replicas):
    """Both see the same state afterwards, and the move is in one log, once, however often it is told."""
    (one, other), logs = replicas
    first = move(RULES, None, begin(RULES), AT)
    assert await one.put(first)
    known = standing_after(first)
    ups = [move(RULES, known, Step(Stage("canary", share), "test", ""), AT) for share in (0.1, 0.2)]
    won = await asyncio.gather(one.put(ups[0]), other.put(ups[1]))

    assert 1 == sum(won)
    assert (
        standing_after(ups[won.index(True)]) == await one.standing("auto", None) == await other.standing("auto", None)
    )
    assert await replicas[0][won.index(True)].put(ups[won.index(True)])
    assert 2 == sum(len(log.moves("auto")) for log in logs)


async def test_counts_are_added_up_once(replicas):
    """Each tells all that it has counted, again and again, and hears what the others have."""
    (one, other), _ = replicas
    mine, theirs = (evidence(standing(), 50, seed=seed) for seed in (1, 2))
    for _ in range(2):
        await one.exchange("auto", 1, mine)
        await other.exchange("auto", 1, theirs)

    assert theirs == await one.exchange("auto", 1, mine)
    assert mine == await other.exchange("auto", 1, theirs)
    assert Sums() == await one.exchange("auto", 2, mine)
    assert mine + theirs == await SharedRegister(one._link, "", one._own, MemoryStore()).exchange("auto", 1, None)


async def test_while_redis_is_away_candidates_can_only_go_back(server, replicas):
    """And when it is back, what was taken back there is taken back for all."""
    (one, other), logs = replicas
    first = move(RULES, None, begin(RULES), AT)
    await one.put(first)
    known = standing_after(first)
    server.stop()
    up = move(RULES, known, Step(Stage("canary", 0.1), "test", ""), AT)
    back = move(RULES, known, Step(ROLLED_BACK, "test", "worse"), AT)

    assert not await one.put(up)
    assert await one.put(back)
    assert await one.exchange("auto", 1, Sums()) is None
    assert last_standing(logs[0].moves("auto")) == await one.standing("auto", known)
    server.start()
    await asyncio.sleep(0.6)  # the link rests after a failure
    await one.standing("auto", standing_after(back))
    assert standing_after(back) == await other.standing("auto", known)


async def test_redis_that_has_lost_its_data_is_told(replicas):
    """By whoever knows."""
    (one, other), _ = replicas
    known = replace(standing(), number=7)
    await one.standing("auto", known)

    assert known == await other.standing("auto", None)
