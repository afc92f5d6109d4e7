"""The monitor over a real log: what moves a candidate, and what happens where the log fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateway.learning.rewards import RewardRules
from gateway.metrics import Metrics
from gateway.promotion.machine import begin, last_standing, move
from gateway.promotion.monitor import Monitor
from gateway.promotion.promotions import Promotions
from gateway.promotion.reading import DirectLog
from gateway.promotion.register import LogRegister
from gateway.promotion.steering import PromotionError, Wish
from gateway.promotion.types import Limit, Stage
from gateway.store.base import StoreError
from gateway.store.memory import MemoryStore
from tests.gateway.promotion.evidence import AT, RULES, logged, noted
from tests.gateway.worlds import policy, pool

HALF = replace(RULES, stages=(Stage("ramp", 0.5),), limits=(Limit("errors", 0.1), Limit("quality", 0.2)))


def taken(rules=HALF):
    promotions = Promotions()
    promotions.take({"auto": _under(rules)}, RewardRules())
    return promotions


def _under(rules):
    return replace(policy("auto", pool("a")), promotion=rules)


def monitored(log, promotions, durable=None):
    return Monitor(promotions, LogRegister(durable or DirectLog(log), log), log, Metrics())


def answers(count, start=1, **candidate):
    """Return logged requests, the candidate's as told, the live version's good."""
    for number in range(start, start + count):
        mine = number % 2 == 0
        note = noted("candidate" if mine else "live", number=1, cluster=number % 256)
        yield logged(number, note, **(candidate if mine else {"scores": [1.0] if "scores" in candidate else ()}))


def stored(log, events):
    for event in events:
        log.append([event.decision, event.outcome, *event.feedback])


async def looked(monitor):
    """Let it look as it does when it is started."""
    await monitor.start()
    await monitor.aclose()


async def test_feedback_alone_takes_a_candidate_back():
    """It comes by the log, from whoever wrote it there."""
    log, promotions = MemoryStore(), taken()
    monitor = monitored(log, promotions)
    await looked(monitor)
    stored(log, answers(200, scores=[0.0]))
    await looked(monitor)

    assert "rolled_back" == promotions.progresses["auto"].standing.state
    assert "worse: quality" == log.moves("auto")[-1].why


async def test_what_was_seen_before_a_restart_counts():
    """Another monitor over the same log comes to the same standing and evidence."""
    log = MemoryStore()
    log.append([move(HALF, None, begin(HALF), AT)])
    stored(log, answers(60, scores=[1.0]))
    found = []
    for _ in range(2):
        promotions = taken()
        await looked(monitored(log, promotions))
        found.append(promotions.progresses["auto"])

    assert found[0].standing == found[1].standing == last_standing(log.moves("auto"))
    assert found[0].sums == found[1].sums
    assert 1 == len(log.moves("auto"))


class Failing(DirectLog):
    """A way to a log whose disk is full for a while."""

    fails = False

    async def record_durably(self, event):
        if self.fails:
            raise StoreError("the disk is full")
        return await super().record_durably(event)


async def test_a_log_that_fails_keeps_no_bad_candidate():
    """It is taken back at once, and that is written down when it can be, once."""
    log, promotions = MemoryStore(), taken()
    durable = Failing(log)
    monitor = monitored(log, promotions, durable)
    await looked(monitor)
    durable.fails = True
    for event in answers(200, error="server_error"):
        promotions.hear((event.decision, event.outcome))
    await looked(monitor)

    assert "rolled_back" == promotions.progresses["auto"].standing.state
    assert 1 == len(log.moves("auto"))
    durable.fails = False
    await looked(monitor)
    await looked(monitor)
    assert ["ramp", "rolled_back"] == [one.after for one in log.moves("auto")]


async def test_a_move_of_another_process_is_followed():
    """An operator's command writes it into the log; two who move at once do not both win."""
    log, promotions = MemoryStore(), taken()
    monitor = monitored(log, promotions)
    await looked(monitor)
    progress = promotions.progresses["auto"]
    log.append([move(HALF, progress.standing, replace(begin(HALF), stage=Stage("live", 1.0), by="ann"), AT)])
    await looked(monitor)
    assert ("live", 1.0) == (progress.standing.state, progress.standing.share)
    wishes = [monitor.steer(progress, Wish("rolled_back", "ann")) for _ in range(2)]
    done = await asyncio.gather(*wishes, return_exceptions=True)

    assert {PromotionError} == {type(one) for one in done if isinstance(one, Exception)}
    assert 3 == len(log.moves("auto"))


async def test_another_version_begins_anew_and_the_same_goes_on():
    """A reload with other rules for the same version keeps what was seen."""
    log, promotions = MemoryStore(), taken()
    monitor = monitored(log, promotions)
    await looked(monitor)
    before = promotions.progresses["auto"]
    promotions.take({"auto": _under(replace(HALF, min_requests=7))}, RewardRules())
    assert before is promotions.progresses["auto"]
    promotions.take({"auto": _under(replace(HALF, version="next@2"))}, RewardRules())
    await looked(monitor)

    assert [1, 2] == [one.evidence["run"] for one in log.moves("auto")]
    assert "next@2" == promotions.progresses["auto"].standing.version
    promotions.take({}, RewardRules())
    assert {} == promotions.progresses
