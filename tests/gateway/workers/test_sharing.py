"""What two workers tell each other through one table."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.endpoints.endpoint import Condition
from gateway.endpoints.fleet import Fleet
from gateway.implicit.seen import Seen
from gateway.metrics import Metrics
from gateway.sharing.away import RedisAway
from gateway.workers.sessions import GATHERED_S
from gateway.workers.sharing import TeamSharing
from gateway.workers.table import Table
from gateway.workers.team import Place, Team
from providers.errors import RateLimited
from tests.gateway.workers.pairs import joined
from tests.gateway.worlds import endpoint

A = endpoint("a", "k1")
SEEN = Seen(UUID(int=1), 5.0, b"frame\xff", 6.0)


class Half:
    """A worker without its gateway: the fleet, and what it shares."""

    def __init__(self, channel, name):
        team = Team(Place(0, 2, "127.0.0.1", 1), name)
        team._channel = channel
        self.fleet = Fleet()
        self.fleet.take({"a": (A,)}, {"a": Condition()})
        self.team = team
        self.sharing = TeamSharing(team, self.fleet)


@pytest.fixture
async def two():
    table = Table()
    halves = []

    def keep(seen):
        """Pass it on to the other, as the parent does."""
        halves[1].team._kept(seen)

    answering = {**table.answering, "note": table.sessions.hear, "keep": keep}
    async with joined(answering) as one, joined(answering) as other:
        halves += [Half(one, "one"), Half(other, "other")]
        yield halves
        for half in halves:
            await half.sharing.aclose()


async def test_the_next_request_of_a_session_knows_who_answered(two):
    """On whichever worker it comes, also on one that has begun since; what is newer stands."""
    one, other = (half.sharing.sessions for half in two)
    for number in range(3):
        one.note("p", f"ann\ns{number} \ud800", "a", float(number))
    await asyncio.sleep(2 * GATHERED_S)
    await other.begin()  # what the parent has heard
    other.hear([("p", "ann\ns2 \ud800", "older", 1.0), ("p", "ann\ns1 \ud800", "newer", 1.5)])

    found = [other.last("p", f"ann\ns{number} \ud800") for number in range(3)]
    assert [("a", 0.0), ("newer", 1.5), ("a", 2.0)] == [(last.model, last.at) for last in found]


async def test_an_endpoint_that_rests_rests_for_all(two):
    """Within a beat."""
    one, other = two
    for half in two:
        await half.sharing.start()
    limited = RateLimited("x")
    limited.retry_after_s = 60
    one.fleet.failed(A, "k1", limited, time.monotonic())
    deadline = time.monotonic() + 5
    while not other.fleet.blocked_s(A, "k1", time.monotonic()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_what_was_asked_is_remembered_by_all(two):
    """Under one key, which the first of them draws."""
    one, other = (half.sharing.memory(60, b"") for half in two)
    assert await one.secret() == await other.secret()
    await one.keep({b"\x00\xff": SEEN}, 0.0)
    deadline = time.monotonic() + 5
    while not len(other):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)

    assert [SEEN, None] == await other.recall([b"\x00\xff", b"\x01"], 0.0)


async def test_the_money_of_judging_is_one_purse(two):
    """What one has reserved the other cannot."""
    one, other = (half.sharing.budget for half in two)
    at = datetime(2026, 11, 23, tzinfo=UTC)
    assert await one.reserve(6, 10, at)
    assert not await other.reserve(6, 10, at)
    await one.settle(6, 1, at)
    assert await other.reserve(6, 10, at)


async def test_without_a_parent_everybody_goes_by_what_is_known_here():
    """Until the worker ends, which is at once."""
    async with joined(Table().answering) as channel:
        half = Half(channel, "one")
        channel.close()
        await channel.ended
        half.sharing.sessions.note("p", "s", "a", 0.0)
        await half.sharing.sessions.refresh("p", "s")
        assert "a" == half.sharing.sessions.last("p", "s").model
        assert not await half.sharing.budget.reserve(1, 10, datetime(2026, 11, 23, tzinfo=UTC))
        with pytest.raises(RedisAway):
            await half.sharing.link.ask(lambda redis: redis.get("a"))
        await half.sharing.aclose()


async def test_a_worker_alone_shows_its_own_metrics():
    """Where the parent is gone."""
    async with joined({}) as channel:
        team = Team(Place(0, 2, "127.0.0.1", 1), "one")
        team._channel, team._registry = channel, Metrics().registry
        channel.close()
        await channel.ended
        assert b"pointsman_config_reloads_total" in await team.metrics()
        assert not await team.reload()


@pytest.mark.parametrize("whole", [0, 1, 2, 3, 7, 1000])
def test_shares_add_up(whole):
    """To the whole, and none is larger than another by more than one."""
    shares = [Place(index, 3, "", 0).share(whole) for index in range(3)]

    assert whole == sum(shares)
    assert 1 >= max(shares) - min(shares)
