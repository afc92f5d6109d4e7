"""The battery that every store passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.store.base import Cursor, LoggedEvent, RefusedEventError, Selection, Store, StoreError
from gateway.store.changes_checks import CHANGES_CHECKS
from gateway.store.samples import (
    NOON,
    SECOND,
    build_decision,
    build_erasure,
    build_feedback,
    build_move,
    build_outcome,
    build_planned_outcome,
    expect,
    expect_error,
)

if TYPE_CHECKING:
    from gateway.events import Event

__all__ = [
    "CHECKS",
    "NOON",
    "SECOND",
    "MakeStore",
    "build_decision",
    "build_erasure",
    "build_feedback",
    "build_move",
    "build_outcome",
    "check_store",
]

#: Builds an empty store; called once a check.
MakeStore = Callable[[], Store]


def check_store(make_store: MakeStore) -> None:
    """Run every check, each on a store of its own. Raises `AssertionError` for the first that fails."""
    for check in CHECKS:
        store = make_store()
        try:
            check(store)
        finally:
            store.close()


def _numbers(store: Store, **asked: Any) -> list[int]:
    return [logged.decision.id.int for logged in store.joined(**asked)]


def check_is_empty_at_first(store: Store) -> None:
    """Check that a new store holds nothing, and takes nothing."""
    expect([], list(store.joined()), "a new store")
    expect([], store.append([]), "appending nothing")
    expect(None, store.feedback("unknown"), "unknown feedback")


def check_joins_what_belongs_together(store: Store) -> None:
    """Check that a decision comes back with its own outcome and feedback, equal to what was appended."""
    events: list[Event] = [build_decision(1), build_decision(2), build_outcome(2), build_feedback("f", 2)]
    events += [build_decision(3), build_planned_outcome(3)]

    expect([True] * 6, store.append(events), "new events")

    expected = [
        LoggedEvent(build_decision(1), None, ()),
        LoggedEvent(build_decision(2), build_outcome(2), (build_feedback("f", 2),)),
        LoggedEvent(build_decision(3), build_planned_outcome(3), ()),
    ]
    expect(expected, list(store.joined()), "joined")


def check_keeps_unknown_apart_from_zero(store: Store) -> None:
    """Check that None comes back as None, and zero as zero."""
    unknown = [
        "served_by",
        "finish_reason",
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "cost_usd",
        "ttft_s",
        "cost_source",
        "cache_write_tokens",
        "reasoning_tokens",
        "audio_prompt_tokens",
        "audio_completion_tokens",
        "answer",
        "plan_end",
    ]
    absent = build_outcome(1, **dict.fromkeys(unknown), status=499, error="client_left", attempts=())
    free = build_outcome(2, cost_usd=Decimal(0), cached_tokens=0, ttft_s=0.0, completion_tokens=0, reasoning_tokens=0)
    bare = build_decision(1, embedding=None, text=None, estimates={}, features={})
    label = build_feedback("f", 2, kind="label", value=None, name="wrong_language")
    bad = build_feedback("g", 2, kind="binary", value=0.0, at=label.at + SECOND)

    store.append([bare, build_decision(2, embedding=b"", text=""), absent, free, label, bad])

    first, second = store.joined()
    expect((bare, absent), (first.decision, first.outcome), "unknown values")
    expect(free, second.outcome, "zeros")
    expect((label, bad), second.feedback, "feedback")
    expect((b"", ""), (second.decision.embedding, second.decision.text), "empty values")


def check_stores_each_event_once(store: Store) -> None:
    """Check that a repeat changes nothing, within a batch and between batches, whatever else it says."""
    feedback = build_feedback("f", 1)
    events: list[Event] = [build_decision(1), build_outcome(1), feedback]
    repeats: list[Event] = [
        build_decision(1, policy="other"),
        build_outcome(1, status=500),
        build_feedback("f", 3, value=0.0),
    ]

    expect([True, True, True, False], store.append([*events, feedback]), "new events and a repeat")
    expect([False, False, True, False], store.append([*repeats[:2], build_decision(2), repeats[2]]), "repeats")

    expected = LoggedEvent(build_decision(1), build_outcome(1), (feedback,))
    expect([expected, LoggedEvent(build_decision(2), None, ())], list(store.joined()), "joined")


def check_takes_events_in_any_order(store: Store) -> None:
    """Check that an outcome and feedback may come before their decision: they are kept, and join it when it comes."""
    store.append([build_feedback("f", 1), build_outcome(1)])
    expect([], list(store.joined()), "joined before the decision")
    expect(build_feedback("f", 1), store.feedback("f"), "feedback before the decision")

    store.append([build_decision(1)])

    expected = LoggedEvent(build_decision(1), build_outcome(1), (build_feedback("f", 1),))
    expect([expected], list(store.joined()), "joined after the decision")


def check_orders_by_time(store: Store) -> None:
    """Check that decisions come by time, then id; feedback too."""
    twin = build_decision(9, at=NOON + 2 * SECOND)
    late, early = build_feedback("a", 2, at=NOON + SECOND), build_feedback("b", 2, at=NOON)
    store.append([twin, build_decision(3), build_decision(1), build_decision(2), late, early])

    expect([1, 2, 9, 3], _numbers(store), "oldest first")
    expect([3, 9, 2, 1], _numbers(store, newest_first=True), "newest first")
    expect((early, late), list(store.joined())[1].feedback, "feedback")


def check_yields_what_is_asked_for(store: Store) -> None:
    """Check that `since` is included, `until` is not; a policy and a limit narrow it further."""
    store.append([build_decision(n, policy="even" if n % 2 == 0 else "odd") for n in range(1, 7)])
    since, until = NOON + 2 * SECOND, NOON + 5 * SECOND

    expect([2, 3, 4, 5, 6], _numbers(store, since=since), "since")
    expect([1, 2, 3, 4], _numbers(store, until=until), "until")
    expect([4, 3, 2], _numbers(store, since=since, until=until, newest_first=True), "between, newest first")
    expect([2, 4], _numbers(store, since=since, until=until, policy="even"), "of a policy")
    expect([6, 4], _numbers(store, policy="even", limit=2, newest_first=True), "limited")
    expect([], _numbers(store, policy="unknown"), "of an unknown policy")
    expect([], _numbers(store, limit=0), "none")


def check_reads_a_long_log(store: Store) -> None:
    """Check that nothing is left out or repeated where a log is read in pieces, though many decisions share a time."""
    numbers = list(range(1, 1101))
    store.append([build_decision(n, at=NOON + n // 400 * SECOND) for n in reversed(numbers)])

    expect(numbers, _numbers(store), "oldest first")
    expect(numbers[::-1], _numbers(store, newest_first=True), "newest first")
    expect(numbers[:700], _numbers(store, limit=700), "limited")


def check_takes_events_while_it_is_read(store: Store) -> None:
    """Check that a reader in the middle of the log does not keep events from being appended."""
    store.append([build_decision(n) for n in range(1, 4)])
    reading = store.joined()
    next(reading)

    expect([True], store.append([build_outcome(1)]), "appending meanwhile")

    expect([2, 3], [logged.decision.id.int for logged in reading], "the rest")


def check_money_is_exact(store: Store) -> None:
    """Check that a cost comes back to the nano-dollar; what is finer is rounded half even."""
    costs = {1: "0.000000001", 2: "9000000000.123456789", 3: "0.0000000025", 4: "0.0000000035", 5: "0.0000000024999"}
    store.append([build_decision(n) for n in costs])
    store.append([build_outcome(n, cost_usd=Decimal(cost)) for n, cost in costs.items()])

    expected = ["0.000000001", "9000000000.123456789", "0.000000002", "0.000000004", "0.000000002"]
    found = [logged.outcome.cost_usd for logged in store.joined() if logged.outcome is not None]
    expect([Decimal(cost) for cost in expected], found, "costs")


def check_refuses_a_batch_whole(store: Store) -> None:
    """Check that an event that cannot be stored is named, and nothing of its batch is stored."""
    naive = build_decision(2, at=NOON.replace(tzinfo=None))
    huge = build_outcome(1, prompt_tokens=2**63)
    for unfit in (naive, huge, build_feedback("f", 1, value=float("nan"))):
        append = partial(store.append, [build_decision(1), unfit])
        error = expect_error(RefusedEventError, append, "an unfit event")
        expect(unfit, getattr(error, "event", None), "the event refused")
    expect([], list(store.joined()), "joined")
    expect([True], store.append([build_decision(1)]), "the rest, again")


def check_keeps_any_text(store: Store) -> None:
    """Check that text of any script, NUL and quotes come back as they were; a lone surrogate becomes U+FFFD."""
    features = {"sprache": "größe 語 \x00 'quoted' \U0001f600", "nan?": True}
    store.append([build_decision(1, text="\x00 \U0001f600 \ud800!", policy="a'b", features=features)])

    (logged,) = store.joined(policy="a'b")
    expect("\x00 \U0001f600 \ufffd!", logged.decision.text, "text")
    expect(features, logged.decision.features, "features")
    expect(None, store.feedback("\ud800"), "a lookup by what is no text")


def check_times_are_instants(store: Store) -> None:
    """Check that a time in any zone comes back as the same instant, to the microsecond, in UTC."""
    at = datetime.fromisoformat("2026-01-01T00:00:00.000001+05:30")
    store.append([build_decision(1, at=at)])

    (logged,) = store.joined(since=at, until=at + timedelta(microseconds=1))
    expect("2025-12-31T18:30:00.000001+00:00", logged.decision.at.isoformat(), "time")


def check_ends_when_closed(store: Store) -> None:
    """Check that a closed store refuses every use, and closes again without complaint."""
    store.append([build_decision(1)])
    store.close()
    store.close()

    expect_error(StoreError, lambda: store.append([build_decision(2)]), "appending to a closed store")
    expect_error(StoreError, lambda: list(store.joined()), "reading a closed store")
    expect_error(StoreError, lambda: store.feedback("f"), "looking feedback up in a closed store")
    expect_error(StoreError, lambda: store.changed(Cursor(), 1), "following a closed store")
    expect_error(StoreError, lambda: store.events([]), "reading events of a closed store")
    expect_error(StoreError, lambda: store.erase(Selection(id="f"), NOON), "erasing from a closed store")
    expect_error(StoreError, store.moves, "reading moves of a closed store")


#: Every check, in the order of `check_store`.
CHECKS: tuple[Callable[[Store], None], ...] = (
    check_is_empty_at_first,
    check_joins_what_belongs_together,
    check_keeps_unknown_apart_from_zero,
    check_stores_each_event_once,
    check_takes_events_in_any_order,
    check_orders_by_time,
    check_yields_what_is_asked_for,
    check_reads_a_long_log,
    check_takes_events_while_it_is_read,
    check_money_is_exact,
    check_refuses_a_batch_whole,
    check_keeps_any_text,
    check_times_are_instants,
    *CHANGES_CHECKS,
    check_ends_when_closed,
)
