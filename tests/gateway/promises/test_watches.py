"""Promises that are watched over a real log."""

from __future__ import annotations

from gateway.metrics import Metrics
from gateway.promises.watches import Watches
from gateway.store.base import StoreError
from gateway.store.memory import MemoryStore
from tests.gateway.promises.evidence import promise, request
from tests.gateway.worlds import policy, pool


class Clocked(MemoryStore):
    """A log that takes all that it has for recent, and fails on demand."""

    fails = False

    def joined(self, since=None, until=None, **more):
        del since
        return super().joined(None, until, **more)

    def changed(self, after, limit):
        if self.fails:
            raise StoreError("the disk is away")
        return super().changed(after, limit)


def stored(log, events):
    for event in events:
        log.append([event.decision, event.outcome, *event.feedback])


def watched(log, promising, metrics=None):
    policies = {"careful": policy("careful", pool("small", "large"), promising), "plain": policy("plain")}
    return Watches(lambda: policies, lambda _: 1.0, log, metrics or Metrics())


def value(gauge):
    return gauge.labels("careful")._value.get()


async def test_a_drift_is_seen_by_the_log_and_shown():
    """Feedback comes by the log, from whoever wrote it there."""
    log, promising, metrics = Clocked(), promise(), Metrics()
    watches, before = watched(log, promising, metrics), promising.pledge.setting
    await watches.look()
    assert (0, before) == (value(metrics.promise_alarm), value(metrics.promise_setting))

    stored(log, [request(n, promising, worse=True) for n in range(1, 40)])
    await watches.look()

    assert 1 == value(metrics.promise_alarm)
    assert value(metrics.promise_setting) < before
    assert promising.pledge.setting != before


async def test_what_was_found_outlives_a_restart():
    """The log is read again, and the stricter setting is in force from the first request on."""
    log, promising = Clocked(), promise()
    stored(log, [request(n, promising, worse=True) for n in range(1, 40)])
    await watched(log, promising).look()
    again = promise()
    await watched(log, again).look()

    assert promising.pledge == again.pledge
    assert again.pledge != promise().pledge


async def test_a_reload_does_not_forget():
    """The same pledge, built anew, takes the setting that was come to."""
    log, first, metrics = Clocked(), promise(), Metrics()
    policies = {"careful": policy("careful", pool("small", "large"), first)}
    watches = Watches(lambda: policies, lambda _: 1.0, log, metrics)
    stored(log, [request(n, first, worse=True) for n in range(1, 40)])
    await watches.look()
    policies["careful"] = policy("careful", pool("small", "large"), promise())
    await watches.look()

    assert first.pledge == policies["careful"].route.router.pledge
    assert 1 == value(metrics.promise_alarm)


async def test_a_promise_that_is_proved_anew_is_watched_anew():
    """The alarm ends, for what it was about is no more."""
    log, first, metrics = Clocked(), promise(), Metrics()
    policies = {"careful": policy("careful", pool("small", "large"), first)}
    watches = Watches(lambda: policies, lambda _: 1.0, log, metrics)
    stored(log, [request(n, first, worse=True) for n in range(1, 40)])
    await watches.look()
    proved = promise(seed=5)
    before = proved.pledge
    policies["careful"] = policy("careful", pool("small", "large"), proved)
    await watches.look()

    assert 0 == value(metrics.promise_alarm)
    assert before == proved.pledge


async def test_a_log_that_fails_stops_nothing(caplog):
    """What was counted stands, and the next look goes on."""
    log, promising = Clocked(), promise()
    watches = watched(log, promising)
    await watches.look()
    log.fails = True
    await watches.look()
    log.fails = False
    stored(log, [request(n, promising, worse=True) for n in range(1, 40)])
    before = promising.pledge
    await watches.look()

    assert "promise.log_failed" in caplog.text
    assert before != promising.pledge


async def test_where_nothing_is_promised_nothing_is_shown():
    """A policy of another router has no series."""
    metrics = Metrics()
    watches = Watches(lambda: {"plain": policy("plain")}, lambda _: 1.0, Clocked(), metrics)
    await watches.look()

    assert [] == next(iter(metrics.promise_bound.collect())).samples
