from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.config.models import RedisConfig
from gateway.learning.board import Board
from gateway.learning.book import Book
from gateway.learning.exchange import GONE_AT_LEAST, GONE_S, Exchange
from gateway.learning.posted import BoardAway
from gateway.learning.share import FOLDED, Share, total
from routers.sums import Sums
from tests.redis_server import redis_server

DIGEST = "d" * 64


@pytest.fixture
def server(tmp_path):
    with redis_server(tmp_path) as running:
        yield running


@pytest.fixture
def replica(server):
    """Return a function that begins a replica: a book, a board, and what it has learned."""
    with contextlib.ExitStack() as opened:

        def begin(log):
            book = opened.enter_context(contextlib.closing(Book.open(Path(":memory:"))))
            board = opened.enter_context(contextlib.closing(Board(RedisConfig(url=SecretStr(server.url)))))
            return Replica(log, book, board)

        yield begin


class Replica:
    """A replica that has learned something by itself."""

    def __init__(self, log, book, board):
        self.log, self.book, self.board = log, book, board
        self.exchange = Exchange(book, board)
        self.share = Share()

    def learn(self, value):
        """Learn one more thing."""
        sums = self.share.sums + Sums.of({"n": [value], self.log: [value]})
        self.share = replace(self.share, version=self.share.version + 1, rows=self.share.rows + 1, sums=sums)

    def sync(self):
        """Exchange what is new; take another version where that is needed."""
        version = self.exchange.sync(DIGEST, self.log, self.share)
        if version is not None:
            self.share = replace(self.share, version=version)
            return self.sync()
        return self

    def known(self):
        """Return what all have learned, as far as it is known here."""
        return self.exchange.known(DIGEST, self.log, self.share).fingerprint()


def together(*replicas):
    """Return what one alone would have learned that had learned all that these have."""
    return total({one.log: one.share for one in replicas}).fingerprint()


def test_what_one_has_learned_the_others_know(replica):
    """And each alone knows its own; told again, it counts once."""
    a, b = replica("a"), replica("b")
    a.learn(0.1)
    b.learn(0.2)
    assert [together(a), together(b)] == [a.known(), b.known()]

    for one in (a, b, a, a, b):
        one.sync()
    assert [together(a, b)] * 2 == [a.known(), b.known()]

    b.learn(0.3)
    for one in (b, a):
        one.sync()
    assert [together(a, b)] * 2 == [a.known(), b.known()]


def test_without_redis_it_goes_by_what_it_heard_last(server, replica):
    """What it learns meanwhile the others hear when Redis is back, and what Redis has lost it is told again."""
    a, b, c = replica("a"), replica("b"), replica("c")
    for one in (a, b, c):
        one.learn(0.1)
        one.sync()
    a.sync()
    heard = together(a, b, c)
    server.kill()
    assert heard == a.known()
    with pytest.raises(BoardAway):
        a.sync()
    a.learn(0.7)
    assert together(a, b, c) == a.known()

    server.start()
    a.sync()
    newcomer = replica("new").sync()
    assert together(a, b, c) == newcomer.known()


def test_a_book_that_was_lost_takes_the_place_of_the_old_one(replica):
    """The same log, read anew: its share has the number of an earlier one, and something else in it."""
    a, b = replica("a"), replica("b")
    for _ in range(3):
        a.learn(0.25)
    a.sync()
    again = replica("a")
    again.learn(0.5)
    again.sync()
    b.sync()

    assert together(again) == b.known()


def test_a_number_that_was_given_twice_is_noticed(replica):
    """The old share and the new one have the same number."""
    old, new, b = replica("a"), replica("a"), replica("b")
    old.learn(0.25)
    new.learn(0.5)
    old.sync()
    new.sync()
    b.sync()

    assert together(new) == b.known()


def silent(board, names, seconds):
    """Make replicas look as if they had been silent for so long."""
    key = board._keys(DIGEST)[3]
    board._redis.hset(key, mapping={name: repr(time.time() - seconds) for name in names})


def test_replicas_that_are_long_gone_are_folded_into_one(server, replica):
    """What they have learned stays counted; one that returns goes on where it was, and nothing is counted twice."""
    gone = [replica(f"gone-{n}") for n in range(GONE_AT_LEAST)]
    for n, one in enumerate(gone):
        one.learn(0.1 * (n + 1))
        one.sync()
    a = replica("a")
    a.learn(0.5)
    a.sync()
    assert not a.exchange.tidy(DIGEST, a.log, time.time())

    silent(a.board, [one.log for one in gone], GONE_S + 60)
    assert a.exchange.tidy(DIGEST, a.log, time.time())
    assert {FOLDED, "a"} == set(a.board.look(DIGEST, "a").versions)
    a.sync()
    assert together(a, *gone) == a.known()

    returned = gone[3]
    returned.learn(0.9)
    returned.sync()
    a.sync()
    assert [together(a, *gone)] * 2 == [a.known(), returned.known()]
    assert "gone-3+1" in a.board.look(DIGEST, "a").versions

    server.kill()  # and all that Redis held with it
    server.start()
    a.sync()
    newcomer = replica("new").sync()
    assert together(a, *gone) == newcomer.known()


def test_one_that_returns_without_its_book_stays_out(replica, caplog):
    """What it had learned is counted already, and what is new cannot be told from that."""
    gone = [replica(f"gone-{n}") for n in range(GONE_AT_LEAST)]
    for one in gone:
        one.learn(0.1)
        one.sync()
    a = replica("a").sync()
    silent(a.board, [one.log for one in gone], GONE_S + 60)
    a.exchange.tidy(DIGEST, a.log, time.time())
    before = a.sync().known()

    returned = replica("gone-0")
    returned.learn(0.8)
    returned.sync()
    assert before == a.sync().known() == returned.known()
    assert ["learning.stranded"] == [record.message for record in caplog.records]


def test_what_was_told_but_not_answered_may_have_arrived(replica):
    """The book holds it, so that it can be told apart also if it is what was folded."""
    a = replica("a")
    a.learn(0.1)
    a.sync()
    a.learn(0.2)
    a.book.tell(DIGEST, "a", a.share)
    assert {1, 2} == set(a.book.told(DIGEST, "a"))
    a.board.put(DIGEST, "a", a.share)

    a.sync()
    assert {2} == set(a.book.told(DIGEST, "a"))
