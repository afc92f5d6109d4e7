from __future__ import annotations

import sqlite3

import pytest

from gateway.learning.book import Book
from gateway.learning.credit import Credit
from gateway.learning.share import Share
from gateway.store.base import Cursor, StoreError
from gateway.store.samples import build_decision


def test_what_is_kept_is_there_again(tmp_path):
    """Also what was counted without a rating."""
    book = Book.open(tmp_path / "learner")
    ids = [build_decision(n).id for n in range(3)]
    with book.step():
        progress = book.begin("auto", "d", 7).advanced(Cursor("log", 3, "mark"), Share(rows=2))
        book.keep(progress)
        book.count("auto", {ids[0]: Credit(0.5, 1.0), ids[1]: Credit()})
    book.close()

    book = Book.open(tmp_path / "learner")
    found, counted = book.progress("auto"), book.counted("auto", ids)
    assert (Cursor("log", 3, "mark"), 8, 2) == (found.cursor, found.share.version, found.share.rows)
    assert Credit(0.5, 1.0) == counted[ids[0]]
    assert counted[ids[1]].same(Credit())
    assert ids[2] not in counted
    book.close()


def test_a_step_is_written_whole_or_not_at_all(tmp_path):
    """What fails half-way leaves nothing."""
    book = Book.open(tmp_path / "learner")

    def fail():
        with book.step():
            book.begin("auto", "d", 0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert None is book.progress("auto")
    book.close()


@pytest.mark.parametrize("statement", ["CREATE TABLE other (a)", "PRAGMA application_id = 1"])
def test_a_file_of_another_kind_is_refused(tmp_path, statement):
    """It is not written to; the log is all that is needed to make a new one."""
    path = tmp_path / "learner"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE some (a)")
        connection.execute(statement)
    connection.close()

    with pytest.raises(StoreError, match="is no file of this version's learner"):
        Book.open(path)
