"""The ledger in memory and the one in Redis, step by step beside a model that knows nothing of either."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gateway.quotas.ledger import KEPT_MS, Claim, Level, Reservation
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.shared import shared_ledger
from gateway.sharing.link import Link
from tests.redis_server import redis_server

TTL_MS = 1000
LIMITS = {"a": 10, "b": 6, "c": 3}
START_MS = 1_767_225_600_000

AMOUNTS = st.dictionaries(st.sampled_from(sorted(LIMITS)), st.integers(0, 5), max_size=3)
WORLDS = count()


@dataclass
class Expected:
    """What a reservation holds, until when, and whether it may still be settled."""

    reservation: Reservation
    expires_ms: int
    settled: bool = False


class Ledgers(RuleBasedStateMachine):
    """Does the same to both ledgers, and to plain sums."""

    url = ""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.Runner()
        self.link = Link(self.url, prefix=f"world-{next(WORLDS)}:", timeout_s=10)
        self.memory = MemoryLedger(ttl_ms=TTL_MS)
        self.redis = shared_ledger(self.link, replica="r", away="closed", ttl_ms=TTL_MS)
        self.now_ms = START_MS
        self.used = dict.fromkeys(LIMITS, 0)
        self.made: list[Expected] = []

    def teardown(self):
        self.loop.run(self.link.aclose())
        self.loop.close()

    def both(self, ask):
        """Ask both; their answers are the same."""
        ours, theirs = (self.loop.run(ask(ledger)) for ledger in (self.memory, self.redis))
        assert ours == theirs
        return ours

    def held(self, counter):
        """Return what is held of a counter."""
        return sum(
            claim.amount
            for one in self.made
            if not one.settled and one.expires_ms > self.now_ms
            for claim in one.reservation.claims
            if claim.counter == counter
        )

    def level(self, counter):
        return Level(self.used[counter], self.held(counter))

    def try_it(self, reservation, former):
        """Reserve, and compare the answer with what the plain sums say."""
        free = {counter: LIMITS[counter] - self.level(counter).taken for counter in LIMITS}
        if former is not None and former.expires_ms > self.now_ms:
            for claim in former.reservation.claims:
                free[claim.counter] += claim.amount
        refused = tuple(0 < claim.amount > free[claim.counter] for claim in reservation.claims)
        answer = self.both(lambda ledger: ledger.reserve(reservation, self.now_ms))
        assert refused == answer.refused
        return answer

    @rule(amounts=AMOUNTS, lasts=st.sampled_from([500, 10_000]))
    def reserve(self, amounts, lasts):
        """Hold several claims, all or none."""
        claims = claims_of(amounts)
        reservation = Reservation(f"r-{len(self.made)}", claims, self.now_ms + lasts)
        answer = self.try_it(reservation, None)
        expires_ms = self.now_ms + min(TTL_MS, lasts) if answer.granted else self.now_ms
        self.made.append(Expected(reservation, expires_ms, settled=not answer.granted))
        assert tuple(self.level(claim.counter) for claim in claims) == answer.levels

    @precondition(lambda self: any(not one.settled for one in self.made))
    @rule(data=st.data(), amounts=AMOUNTS)
    def move(self, data, amounts):
        """Hold others instead, or keep what is held."""
        one = data.draw(st.sampled_from([one for one in self.made if not one.settled]))
        reservation = Reservation(one.reservation.id, claims_of(amounts), one.reservation.last_ms)
        if reservation.last_ms <= self.now_ms:
            return
        if self.try_it(reservation, one).granted:
            one.reservation = reservation
            one.expires_ms = min(self.now_ms + TTL_MS, reservation.last_ms)

    @precondition(lambda self: self.made)
    @rule(data=st.data(), exact=st.booleans(), spent=st.integers(0, 12))
    def settle(self, data, exact, spent):
        """Settle any, also those that were settled or have expired: each counts once."""
        one = data.draw(st.sampled_from(self.made))
        amounts = [claim.amount if exact else spent for claim in one.reservation.claims]
        self.both(lambda ledger: ledger.settle(one.reservation, amounts, self.now_ms))
        if not one.settled:
            for claim, amount in zip(one.reservation.claims, amounts, strict=True):
                self.used[claim.counter] += amount
        one.settled = True

    @rule(milliseconds=st.sampled_from([1, 300, 700, 1500]))
    def wait(self, milliseconds):
        self.now_ms += milliseconds

    @rule()
    def tend(self):
        """Renew what is open and would expire soon."""
        watched = dict.fromkeys(LIMITS, START_MS + 2 * KEPT_MS)
        self.both(lambda ledger: ledger.tend(self.now_ms, watched))
        for one in self.made:
            if not one.settled and self.now_ms < one.expires_ms < self.now_ms + TTL_MS * 2 // 3:
                one.expires_ms = max(one.expires_ms, min(self.now_ms + TTL_MS, one.reservation.last_ms))
        assert [self.level(counter) for counter in LIMITS] == [self.redis.known(counter) for counter in LIMITS]

    @invariant()
    def nothing_is_lost(self):
        """Check that the ledger in memory knows what the sums say."""
        for counter in LIMITS:
            assert self.used[counter] == self.memory.known(counter).used


def claims_of(amounts):
    return tuple(
        Claim(counter, amounts[counter], LIMITS[counter], START_MS + 2 * KEPT_MS) for counter in sorted(amounts)
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


def test_memory_and_redis_agree_step_by_step(url):
    """Whatever is reserved, moved, settled (more than once), or left to expire: all counts are the sums."""

    class Here(Ledgers):
        pass

    Here.url = url
    run_state_machine_as_test(Here, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
