import sqlite3
import threading
from contextlib import closing

import pytest

from gateway.store import schema
from gateway.store.base import RefusedEventError, StoreError
from gateway.store.checks import build_decision, build_feedback, build_outcome
from gateway.store.queries import statement
from gateway.store.sqlite import SQLiteStore


@pytest.fixture
def path(tmp_path):
    """Name a file that does not exist, in a folder that does not either."""
    return tmp_path / "new" / "folder" / "log.db"


def numbers(store, **asked):
    """Return the ids of the decisions asked for."""
    return [logged.decision.id.int for logged in store.joined(**asked)]


def test_writes_ahead_and_synchronously(path):
    """A commit is on disk, and readers do not block it."""
    with closing(SQLiteStore.open(path)) as store:
        assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_log_survives_reopening(path):
    """What was appended is there for the next process, which appends to it."""
    with closing(SQLiteStore.open(path)) as store:
        store.append([build_decision(1), build_outcome(1)])
    with closing(SQLiteStore.open(path)) as store:
        assert store.append([build_decision(1), build_decision(2)]) == [False, True]

        assert numbers(store) == [1, 2]


def test_reader_sees_what_a_writer_commits(path):
    """A read-only log, open all the while, has each event as soon as it is appended."""
    with closing(SQLiteStore.open(path)) as writer, closing(SQLiteStore.open(path, read_only=True)) as reader:
        assert numbers(reader) == []
        writer.append([build_decision(1), build_feedback("f", 1)])

        assert numbers(reader) == [1]
        assert build_feedback("f", 1) == reader.feedback("f")


def test_slow_reader_does_not_keep_the_file_from_being_folded(path):
    """Between two pieces of the log a reader holds no transaction."""
    with closing(SQLiteStore.open(path)) as store:
        store.append([build_decision(n) for n in range(1000)])
        reading = store.joined()
        next(reading)

        assert store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
        reading.close()


def test_refuses_to_append_when_read_only(path):
    """A log opened for reading cannot be written through."""
    SQLiteStore.open(path).close()

    with closing(SQLiteStore.open(path, read_only=True)) as store, pytest.raises(StoreError, match="read-only"):
        store.append([build_decision(1)])


def test_reading_creates_nothing(path):
    """A missing log is an error that names it, not an empty log."""
    with pytest.raises(StoreError, match="does not exist") as error:
        SQLiteStore.open(path, read_only=True)

    assert str(path) in str(error.value)
    assert not path.parent.exists()


@pytest.mark.parametrize("read_only", [False, True])
def test_refuses_a_file_that_is_no_database(tmp_path, read_only):
    """Some other file under the name is left as it is."""
    path = tmp_path / "log.db"
    path.write_text("Dear diary, today I was mistaken for a database.\n" * 50)

    with pytest.raises(StoreError, match=r"not an SQLite database; move it away"):
        SQLiteStore.open(path, read_only=read_only)

    assert path.read_text().startswith("Dear diary")


@pytest.mark.parametrize("read_only", [False, True])
def test_refuses_another_programs_database(tmp_path, read_only):
    """A database of something else is left as it is, journal mode and all."""
    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE decisions (verdict TEXT)")

    with pytest.raises(StoreError, match="another program"):
        SQLiteStore.open(path, read_only=read_only)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


@pytest.mark.parametrize("read_only", [False, True])
def test_refuses_a_newer_schema(path, read_only):
    """A log written by a later version says which, and what to do."""
    SQLiteStore.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")

    with pytest.raises(StoreError, match=r"schema version 99.*upgrade pointsman"):
        SQLiteStore.open(path, read_only=read_only)


def test_refuses_a_folder_that_cannot_be_made(tmp_path):
    """A file where a folder should be is named."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"cannot create its folder.*store\.path"):
        SQLiteStore.open(tmp_path / "file" / "log.db")


def test_refuses_a_folder_as_the_file(tmp_path):
    """A folder under the log's name cannot be opened."""
    with pytest.raises(StoreError, match="cannot be opened"):
        SQLiteStore.open(tmp_path)


def test_full_disk_loses_nothing_committed(path):
    """A batch that finds no room is not stored in part, and fits once there is room."""
    with closing(SQLiteStore.open(path)) as store:
        store.append([build_decision(1)])
        (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        batch = [build_decision(n, text="x" * 5000) for n in range(2, 10)]

        with pytest.raises(StoreError, match=r"disk is full; free some space"):
            store.append(batch)
        assert numbers(store) == [1]

        store._connection.execute("PRAGMA max_page_count = 100000")
        assert store.append(batch) == [True] * 8


def test_locked_file_is_an_error_in_time(path):
    """Another writer is waited for, but not for ever."""
    with closing(SQLiteStore.open(path, busy_timeout_s=0.01)) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process holds it locked"):
            store.append([build_decision(1)])
        other.rollback()

        assert store.append([build_decision(1)]) == [True]


def test_event_of_wrong_type_is_refused_alone(path):
    """What the tables do not accept is told apart from a store that fails."""
    unfit = build_outcome(1, status="fine")
    unfit_text = build_decision(1, policy=None)
    with closing(SQLiteStore.open(path)) as store:
        for event in (unfit, unfit_text):
            with pytest.raises(RefusedEventError):
                store.append([build_decision(2), event])

        assert numbers(store) == []


def test_two_may_create_the_file_at_once(path):
    """Processes that start together lay the tables out once, and none fails."""
    barrier = threading.Barrier(4)
    stores, errors = [], []

    def start():
        barrier.wait()
        try:
            stores.append(SQLiteStore.open(path, busy_timeout_s=5))
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert [store.append([build_decision(n)]) for n, store in enumerate(stores)] == [[True]] * 4
    for store in stores:
        store.close()


def test_threads_may_append_at_once(path):
    """Appending from several threads loses nothing."""
    with closing(SQLiteStore.open(path)) as store:
        threads = [threading.Thread(target=store.append, args=([build_decision(n)],)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert list(range(20)) == numbers(store)


@pytest.mark.parametrize("by_policy", [False, True])
@pytest.mark.parametrize("newest_first", [False, True])
def test_reading_follows_an_index(path, by_policy, newest_first):
    """However long the log, a piece of it is found and ordered by an index."""
    asked = {"since": 0, "until": 1, "policy": "auto", "id": "", "at": 0, "wanted": 10}
    reading = statement(by_policy=by_policy, newest_first=newest_first)
    with closing(SQLiteStore.open(path)) as store:
        plan = " / ".join(row[3] for row in store._connection.execute(f"EXPLAIN QUERY PLAN {reading}", asked))

    assert f"USING INDEX decisions_by_{'policy' if by_policy else 'time'} (" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_shell_reads_the_log(path):
    """The query that the schema's documentation gives works."""
    query = schema.__doc__.split("shell:")[1]
    with closing(SQLiteStore.open(path)) as store:
        store.append([build_decision(1), build_outcome(1)])
        rows = store._connection.execute(query).fetchall()

    assert rows == [("2026-01-01 12:00:01", "auto", "large", 200, 0.00001234)]
