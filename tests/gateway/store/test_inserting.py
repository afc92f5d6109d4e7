"""Blocks of rows tell no less than single ones."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.store.base import RefusedEventError
from gateway.store.checks import NOON, SECOND, build_decision, build_feedback, build_outcome
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SQLiteStore

EVENTS = st.one_of(
    st.integers(0, 99).map(build_decision),
    st.integers(0, 99).map(build_outcome),
    st.integers(0, 9).map(lambda number: build_feedback(f"f{number}", number)),
)


@pytest.fixture
def store(tmp_path):
    """Provide a log in a file."""
    with closing(SQLiteStore.open(tmp_path / "log.db")) as store:
        yield store


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 100])
def test_all_rows_of_a_batch_are_stored(store, count):
    """Whatever blocks they go in by, each with its own values."""
    decisions = [build_decision(number, why=f"because {number}") for number in range(count)]
    outcomes = [build_outcome(number, prompt_tokens=number) for number in range(count)]
    fresh = store.append([event for pair in zip(decisions, outcomes, strict=True) for event in pair])

    assert [True] * 2 * count == fresh
    assert list(zip(decisions, outcomes, strict=True)) == [(one.decision, one.outcome) for one in store.joined()]


def test_repeats_in_a_block_are_told_apart(store):
    """Whether they were there before, or came twice in one batch; what was first is kept."""
    store.append([build_decision(3, why="first")])
    batch = [build_decision(number, why="second") for number in (1, 2, 3, 4, 2)]

    assert [True, True, False, True, False] == store.append(batch)
    assert ["second", "second", "first", "second"] == [one.decision.why for one in store.joined()]


def test_a_row_that_does_not_fit_is_named(store):
    """It is one of a block, of which nothing is stored."""
    unfit = build_outcome(2, plan_end=b"no text")
    batch = [build_decision(1), build_outcome(1), unfit, build_outcome(3)]

    with pytest.raises(RefusedEventError, match="outcome cannot be stored") as refused:
        store.append(batch)
    assert unfit is refused.value.event
    assert [] == list(store.joined())


@settings(max_examples=40)
@given(st.lists(st.lists(EVENTS, max_size=80), max_size=4))
def test_a_file_tells_what_memory_tells(tmp_path_factory, batches):
    """Of each event whether it was new; and it holds the same in the end."""
    memory = MemoryStore()
    with closing(SQLiteStore.open(tmp_path_factory.mktemp("log") / "log.db")) as store:
        for batch in batches:
            assert memory.append(batch) == store.append(batch)
        until = NOON + 1000 * SECOND

        assert list(memory.joined(until=until)) == list(store.joined(until=until))
