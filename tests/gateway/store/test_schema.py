import sqlite3
from contextlib import closing
from decimal import Decimal
from uuid import UUID

import pytest

from gateway.events import Feedback
from gateway.store.base import Cursor, StoreError
from gateway.store.checks import build_decision, build_feedback, build_outcome
from gateway.store.sqlite import SQLiteStore
from gateway.store.values import from_micros
from tests.gateway.store.old_logs import write_old_log

OLD = UUID(int=1)


@pytest.fixture(params=[1, 2, 3, 4])
def path(request, tmp_path):
    """Write a log of each older version."""
    path = tmp_path / "log.db"
    write_old_log(path, request.param)
    return path


def test_an_older_log_is_brought_up_to_date(path):
    """What it holds stays; new decisions and outcomes go beside the old. What was not kept then is unknown."""
    with closing(SQLiteStore.open(path)) as store:
        store.append([build_decision(2), build_outcome(2)])
        old, new = store.joined()

    assert ((), None, None) == (old.outcome.calls, old.outcome.answer, old.outcome.plan_end)
    assert (None, {}, "m", "") == (old.decision.rule, old.decision.trace, old.decision.chosen, old.decision.caller)
    assert (12, Decimal("0.000022"), None, None) == (
        old.outcome.prompt_tokens,
        old.outcome.cost_usd,
        old.outcome.cost_source,
        old.outcome.reasoning_tokens,
    )
    assert (build_decision(2), build_outcome(2)) == (new.decision, new.outcome)


def test_older_feedback_keeps_what_it_said(path):
    """A thumb is binary now; the rest is as it was, from nobody in particular. What has no decision waits on."""
    with closing(SQLiteStore.open(path)) as store:
        (old,) = store.joined()
        waiting = store.feedback("fb_3")

    thumb = Feedback("fb_1", OLD, from_micros(3), "binary", 1.0, None, None, "user", "good")
    preference = Feedback("fb_2", OLD, from_micros(4), "preference", 1.0, "m", "n", "grader", None)
    assert (thumb, preference) == old.feedback
    assert ("score", 0.25) == (waiting.kind, waiting.value)


def test_an_older_log_is_followed_from_its_first_decision(path):
    """Whoever reads what changed gets what was there before, and what comes."""
    with closing(SQLiteStore.open(path)) as store:
        before, cursor = store.changed(Cursor(), 100)
        store.append([build_feedback("f", 1)])
        after, _ = store.changed(cursor, 100)
        held = [event.decision.id for event in store.events(before)]

    assert ([OLD], [OLD]) == (held, after)


def test_an_older_log_and_a_new_one_have_the_same_tables(path, tmp_path):
    """Nobody can tell which way a file came to its version."""
    tables = []
    for file in (path, tmp_path / "new.db"):
        SQLiteStore.open(file).close()
        with closing(sqlite3.connect(file)) as connection:
            names = connection.execute("SELECT type, name, tbl_name FROM sqlite_schema ORDER BY 1, 2").fetchall()
            columns = {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for _, name, _ in names}
            tables.append((names, columns))

    assert tables[1] == tables[0]


def test_an_older_log_is_not_changed_by_reading(path):
    """It says what to do."""
    with pytest.raises(StoreError, match=r"schema version \d, .*serve with it once"):
        SQLiteStore.open(path, read_only=True)


def test_a_migration_that_fails_changes_nothing(tmp_path):
    """A file in which something is in the way is left as it was."""
    path = tmp_path / "log.db"
    write_old_log(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE moves (in_the_way TEXT)")

    with pytest.raises(StoreError, match="moves already exists"):
        SQLiteStore.open(path)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        assert connection.execute("SELECT kind FROM feedback WHERE id = 'fb_1'").fetchone() == ("thumb",)
