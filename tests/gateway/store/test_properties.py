from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.events import Attempt, Decision, Feedback, LoggedEstimate, Outcome
from gateway.store.base import LoggedEvent
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
)
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
    cost_usd=st.none() | st.integers(0, 2**63 - 1).map(lambda nanos: Decimal(nanos) / 10**9),
    ttft_s=st.none() | SECONDS,
    latency_s=SECONDS,
    attempts=st.lists(
        st.builds(Attempt, TEXT, TIMES, SECONDS, st.none() | st.integers(100, 599), st.none() | TEXT), max_size=2
    ).map(tuple),
    cost_source=st.sampled_from([None, "reported", "priced", "estimated"]),
    cache_write_tokens=COUNTS,
    reasoning_tokens=COUNTS,
    audio_prompt_tokens=COUNTS,
    audio_completion_tokens=COUNTS,
)
FEEDBACK = st.builds(
    Feedback,
    id=st.sampled_from("abcdef"),
    decision_id=IDS,
    at=ORDERED_TIMES,
    kind=st.sampled_from(["score", "thumb", "preference"]),
    value=st.floats(0, 1),
    model=st.none() | TEXT,
    other=st.none() | TEXT,
    source=TEXT,
    comment=st.none() | TEXT,
)
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
