from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.events import Attempt, Decision, Erasure, Feedback, LoggedEstimate, MadeCall, Outcome
from gateway.store.base import Cursor, LoggedEvent, Selection
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SQLiteStore

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)
SECONDS = st.floats(0, 1e6)
TEXT = st.text(max_size=8)
COUNTS = st.none() | st.integers(0, 2**63 - 1)
# Fixed offsets: where a clock is put back, Python holds no two times of different zones for equal (PEP 495).
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 - hypothesis wants it so
# Few, so that events meet, repeat and tie.
IDS = st.integers(0, 4).map(lambda number: UUID(int=number))
ORDERED_TIMES = st.sampled_from([datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]) | TIMES

DECISIONS = st.builds(
    Decision,
    id=IDS,
    at=ORDERED_TIMES,
    request_id=TEXT,
    policy=TEXT,
    policy_digest=TEXT,
    requested_model=TEXT,
    stream=st.booleans(),
    chosen=TEXT,
    why=TEXT,
    propensities=st.dictionaries(TEXT, st.floats(0, 1), max_size=3),
    estimates=st.dictionaries(
        TEXT, st.builds(LoggedEstimate, NUMBERS, NUMBERS | st.just(float("inf")), st.none() | NUMBERS), max_size=2
    ),
    features=st.dictionaries(TEXT, NUMBERS | TEXT | st.booleans(), max_size=3),
    embedding=st.none() | st.binary(max_size=8),
    text=st.none() | TEXT,
    caller=TEXT,
)
COSTS = st.none() | st.integers(0, 2**63 - 1).map(lambda nanos: Decimal(nanos) / 10**9)
SOURCES = st.sampled_from([None, "reported", "priced", "estimated"])
CALLS = st.builds(MadeCall, TEXT, TEXT, st.none() | TEXT, COSTS, SOURCES, COUNTS, COUNTS, SECONDS)
OUTCOMES = st.builds(
    Outcome,
    decision_id=IDS,
    at=TIMES,
    served_by=st.none() | TEXT,
    status=st.integers(100, 599),
    error=st.none() | TEXT,
    finish_reason=st.none() | TEXT,
    prompt_tokens=COUNTS,
    completion_tokens=COUNTS,
    cached_tokens=COUNTS,
    cost_usd=COSTS,
    ttft_s=st.none() | SECONDS,
    latency_s=SECONDS,
    attempts=st.lists(
        st.builds(Attempt, TEXT, TIMES, SECONDS, st.none() | st.integers(100, 599), st.none() | TEXT), max_size=2
    ).map(tuple),
    cost_source=SOURCES,
    cache_write_tokens=COUNTS,
    reasoning_tokens=COUNTS,
    audio_prompt_tokens=COUNTS,
    audio_completion_tokens=COUNTS,
    calls=st.lists(CALLS, max_size=3).map(tuple),
    answer=st.none() | CALLS,
    plan_end=st.sampled_from([None, "relayed", "settled", "bounds", "no_answer"]),
)
FEEDBACK = st.builds(
    Feedback,
    id=st.sampled_from("abcdef"),
    decision_id=IDS,
    at=ORDERED_TIMES,
    kind=st.sampled_from(["score", "binary", "preference", "implicit", "label"]),
    value=st.none() | st.floats(0, 1),
    model=st.none() | TEXT,
    other=st.none() | TEXT,
    source=st.sampled_from(["user", "grader"]),
    comment=st.none() | TEXT,
    name=st.none() | TEXT,
    caller=st.sampled_from(["", "key_1", "key_2"]),
)
ERASURES = st.builds(Erasure, feedback_id=st.sampled_from("abcdef"), decision_id=IDS, at=TIMES)
BATCHES = st.lists(st.lists(DECISIONS | OUTCOMES | FEEDBACK, max_size=6), max_size=4)


def key(event):
    """Return what an event is stored once by."""
    return type(event), event.decision_id if isinstance(event, Outcome) else event.id


def expected_log(batches):
    """Join events the plain way: the first under each key counts."""
    events = {}
    for batch in batches:
        for event in batch:
            events.setdefault(key(event), event)
    feedback = sorted((e for e in events.values() if isinstance(e, Feedback)), key=lambda f: (f.at, f.id))
    decisions = sorted((e for e in events.values() if isinstance(e, Decision)), key=lambda d: (d.at, d.id))
    return [
        LoggedEvent(d, events.get((Outcome, d.id)), tuple(f for f in feedback if f.decision_id == d.id))
        for d in decisions
    ]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=40, deadline=None)
@given(batches=BATCHES)
def test_any_events_in_any_order_round_trip(kind, tmp_path_factory, batches):
    """Whatever is appended, in whatever order and batches, comes back joined, equal and once."""
    store = MemoryStore() if kind == "memory" else SQLiteStore.open(tmp_path_factory.mktemp("log") / "log.db")
    seen = set()

    for batch in batches:
        fresh = []
        for event in batch:
            fresh.append(key(event) not in seen)
            seen.add(key(event))
        assert fresh == store.append(batch)

    assert expected_log(batches) == list(store.joined())
    store.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=25, deadline=None)
@given(batches=BATCHES)
def test_feedback_is_found_with_or_without_its_decision(kind, tmp_path_factory, batches):
    """Each feedback id leads to the first feedback given under it."""
    store = MemoryStore() if kind == "memory" else SQLiteStore.open(tmp_path_factory.mktemp("log") / "log.db")
    first = {}

    for batch in batches:
        store.append(batch)
        for event in batch:
            if isinstance(event, Feedback):
                first.setdefault(event.id, event)

    assert first == {found.id: found for found in map(store.feedback, "abcdef") if found is not None}
    store.close()


def still_there(log, erased):
    """Return what a log holds after an erasure of feedback of these ids."""
    return [replace(e, feedback=tuple(f for f in e.feedback if f.id not in erased)) for e in log]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.lists(DECISIONS | OUTCOMES | FEEDBACK | ERASURES, max_size=6), max_size=6),
    limit=st.integers(1, 7),
    polls=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_who_follows_a_log_ends_with_what_is_in_it(kind, tmp_path_factory, steps, limit, polls):
    """Whatever is stored and erased, and whenever one looks: reading what changed gives the log as it is."""
    store = MemoryStore() if kind == "memory" else SQLiteStore.open(tmp_path_factory.mktemp("log") / "log.db")
    held, cursor = {}, Cursor()

    for batch, look in zip(steps, polls, strict=False):
        store.append(batch)
        while look and (piece := store.changed(cursor, limit))[0]:
            ids, cursor = piece
            held |= {event.decision.id: event for event in store.events(ids)}
    while (piece := store.changed(cursor, limit))[0]:
        ids, cursor = piece
        held |= {event.decision.id: event for event in store.events(ids)}

    assert {event.decision.id: event for event in store.joined()} == held
    store.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=40, deadline=None)
@given(
    batches=BATCHES,
    which=st.builds(
        Selection,
        id=st.none() | st.sampled_from("abcdef"),
        decision_id=st.none() | IDS,
        caller=st.none() | st.sampled_from(["", "key_1"]),
        source=st.sampled_from(["user", "grader"]),
    ),
)
def test_what_is_erased_stays_away(kind, tmp_path_factory, batches, which):
    """An erasure takes all that is selected and nothing else; appending everything again changes nothing."""
    store = MemoryStore() if kind == "memory" else SQLiteStore.open(tmp_path_factory.mktemp("log") / "log.db")
    for batch in batches:
        store.append(batch)
    given_ = {f.id: f for f in map(store.feedback, "abcdef") if f is not None}

    erased = {erasure.feedback_id for erasure in store.erase(which, datetime(2026, 1, 3, tzinfo=UTC))}
    for batch in batches:
        store.append(batch)

    expected = {
        f.id
        for f in given_.values()
        if which.source == f.source
        and which.id in {None, f.id}
        and which.decision_id in {None, f.decision_id}
        and which.caller in {None, f.caller}
    }
    assert expected == erased
    assert still_there(expected_log(batches), erased) == list(store.joined())
    store.close()
