import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from shutil import copyfile
from uuid import UUID

import pytest

from gateway.events import Erasure
from gateway.store import queries
from gateway.store.base import Cursor, RewoundError, Selection, StoreError
from gateway.store.checks import NOON, build_decision, build_feedback, build_outcome
from gateway.store.sqlite import SQLiteStore

#: Appends decisions and feedback and erases some of it, until it is killed; says after each step how far it came.
WRITER = """
import sys
from pathlib import Path
from gateway.store.base import Selection
from gateway.store.checks import NOON, build_decision, build_feedback
from gateway.store.sqlite import SQLiteStore
store = SQLiteStore.open(Path(sys.argv[1]))
for n in range(100_000):
    store.append([build_decision(n), build_feedback(f"f{n}", n)])
    if n % 3 == 0:
        store.erase(Selection(id=f"f{n}"), NOON)
    print(n, flush=True)
"""


@pytest.fixture
def path(tmp_path):
    """Name a file that does not exist."""
    return tmp_path / "log.db"


def everything(store, cursor=None):
    """Return all changes since, piece by piece."""
    cursor, found = cursor or Cursor(), []
    while (piece := store.changed(cursor, 7))[0]:
        found += piece[0]
        cursor = piece[1]
    return [decision_id.int for decision_id in found], cursor


def test_a_cursor_outlives_the_process_and_a_vacuum(path):
    """Changes keep their numbers when the file is packed, also where rows went before."""
    with closing(SQLiteStore.open(path)) as store:
        store.append([build_decision(n) for n in range(50)])
        store.append([build_feedback(f"f{n}", n) for n in range(50)])
        store.erase(Selection(source="reviewer"), NOON)
        seen, cursor = everything(store)
        store.append([build_outcome(1)])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM outcomes")
        connection.execute("VACUUM")
    with closing(SQLiteStore.open(path, read_only=True)) as store:
        assert [1] == everything(store, cursor)[0]
    assert set(range(50)) == set(seen)


def test_a_log_put_back_from_a_copy_is_noticed(path, tmp_path):
    """A cursor beyond the copy's state is no place in it: neither before nor after it has grown as far again."""
    with closing(SQLiteStore.open(path)) as store:
        store.append([build_decision(1)])
    copyfile(path, tmp_path / "copy.db")
    with closing(SQLiteStore.open(path)) as store:
        store.append([build_decision(2)])
        _, cursor = store.changed(Cursor(), 10)
    with closing(SQLiteStore.open(tmp_path / "copy.db")) as store:
        with pytest.raises(RewoundError, match="put back to an earlier state"):
            store.changed(cursor, 10)
        store.append([build_decision(3), build_decision(4)])

        with pytest.raises(RewoundError, match="put back to an earlier state"):
            store.changed(cursor, 10)


def test_two_logs_are_told_apart(path, tmp_path):
    """The cursor of one log is refused by another, however alike they are."""
    with closing(SQLiteStore.open(path)) as one, closing(SQLiteStore.open(tmp_path / "other.db")) as other:
        for store in (one, other):
            store.append([build_decision(1)])
        _, cursor = one.changed(Cursor(), 10)

        with pytest.raises(RewoundError, match="this is log"):
            other.changed(cursor, 10)


def test_a_reader_misses_nothing_that_several_write(path):
    """Whoever follows while threads of two processes' worth of stores append, gets every change once."""
    stores = [SQLiteStore.open(path, busy_timeout_s=20) for _ in range(2)]
    threads = [
        threading.Thread(target=lambda s=store, k=k: [s.append([build_decision(1000 * k + n)]) for n in range(40)])
        for k, store in enumerate(stores * 2)
    ]
    for thread in threads:
        thread.start()
    found, cursor = [], Cursor()
    with closing(SQLiteStore.open(path, read_only=True)) as reader:
        while any(thread.is_alive() for thread in threads):
            new, cursor = everything(reader, cursor)
            found += new
        found += everything(reader, cursor)[0]
    for store in stores:
        store.close()

    assert sorted(1000 * k + n for k in range(4) for n in range(40)) == sorted(found)


def test_an_erased_comment_is_in_no_file(path):
    """Neither the database nor the files beside it hold what was deleted, small or large."""
    secret, other = "Wachtmeister-Krause", "Klabautermann"
    with closing(SQLiteStore.open(path)) as store:
        store.append([build_decision(1)])
        pieces = [build_feedback(f"f{n}", 1, comment=f"{secret} {n} " * (1 + n % 3 * 400)) for n in range(60)]
        store.append([*pieces, build_feedback("kept", 1, comment=other, source="user")])

        store.erase(Selection(source="reviewer"), NOON)
        content = b"".join(file.read_bytes() for file in path.parent.iterdir())

    assert secret.encode() not in content
    assert other.encode() in content


def test_an_erasure_that_is_appended_leaves_nothing_either(path):
    """It does not matter who says that feedback is to go."""
    with closing(SQLiteStore.open(path)) as store:
        store.append([build_feedback("f", 1, comment="Wachtmeister-Krause")])
        store.append([Erasure("f", build_feedback("f", 1).decision_id, NOON)])
        content = b"".join(file.read_bytes() for file in path.parent.iterdir())

    assert b"Wachtmeister-Krause" not in content


def test_a_reader_does_not_keep_feedback_from_being_erased(path):
    """Where somebody sits on an older state, the erasure is stored all the same, in time."""
    with closing(SQLiteStore.open(path, busy_timeout_s=0.05)) as store, closing(sqlite3.connect(path)) as reader:
        store.append([build_decision(1), build_feedback("f", 1)])
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM feedback").fetchall()
        began = time.monotonic()

        assert 1 == len(store.erase(Selection(id="f"), NOON))

        assert time.monotonic() - began < 5
        assert store.feedback("f") is None


def test_erasing_needs_a_writable_log(path):
    """A log opened for reading is not changed."""
    SQLiteStore.open(path).close()

    with closing(SQLiteStore.open(path, read_only=True)) as store, pytest.raises(StoreError, match="read-only"):
        store.erase(Selection(id="f"), NOON)


def test_everything_is_never_selected():
    """A selection without any bound is a mistake."""
    with pytest.raises(ValueError, match="all of it is never meant"):
        Selection()


def test_a_kill_leaves_erasures_and_changes_whole(path):
    """After kill -9, at any moment, what was acknowledged is there or erased, and is a change exactly once."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        for line in writer.stdout:
            if int(line) >= 60:
                os.kill(writer.pid, signal.SIGKILL)
                break
        done = [int(line), *(int(further) for further in writer.stdout)][-1]
    with closing(SQLiteStore.open(path)) as store:
        changes = store._connection.execute("SELECT decision_id, count(*) FROM changes GROUP BY 1").fetchall()
        events = list(store.joined())

    acknowledged = [event for event in events if event.decision.id.int <= done]
    assert done + 1 == len(acknowledged)
    assert all(len(event.feedback) == (event.decision.id.int % 3 != 0) for event in acknowledged)
    counts = {UUID(decision_id).int: count for decision_id, count in changes}
    assert all(counts[number] == (3 if number % 3 == 0 else 2) for number in range(done + 1))


@pytest.mark.parametrize("statement", [queries.CHANGED, queries.BY_ID])
def test_what_is_new_is_found_by_keys(path, statement):
    """However long the log, following it reads no table from end to end."""
    with closing(SQLiteStore.open(path)) as store:
        bound = (1,) * statement.count("?")
        plan = store._connection.execute(f"EXPLAIN QUERY PLAN {statement}", bound).fetchall()

    assert [] == [row[3] for row in plan if row[3].startswith("SCAN") and "json_each" not in row[3]]
