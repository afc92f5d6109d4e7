"""What this replica tells the others, and hears from them. Without Redis it goes by what it heard last."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from gateway.learning.share import FOLDED, Share, folded, merged, total

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.learning.board import Board
    from gateway.learning.book import Book
    from gateway.learning.posted import Posted

logger = logging.getLogger("pointsman")

#: Seconds without a sign after which a replica is gone, and how many of them are folded into one share at once.
GONE_S: Final = 7 * 86400.0
GONE_AT_LEAST: Final = 8

#: A name that a share is posted under, and the share: None where it cannot be told apart from what was folded.
Own = tuple[str, Share | None]


class Exchange:
    """Tells and hears for one log. What others have told stays in the book, and counts while Redis is away."""

    def __init__(self, book: Book, board: Board) -> None:
        self._book = book
        self._board = board

    def known(self, digest: str, log: str, share: Share) -> Share:
        """Return what all have learned together, as far as is known here. Raises `StoreError`."""
        others = self._book.others(digest)
        name, own = self._own(digest, log, share, others)
        return total(others if own is None else {**others, name: own})

    def sync(self, digest: str, log: str, share: Share) -> int | None:
        """Hear what is new, and tell what is.

        Return the version that the share has to get before it can be told: another one is known under that number, of a
        book that was lost. None where all is well. Raises `BoardAway` and `StoreError`.
        """
        before = self._book.others(digest)
        name, _ = self._own(digest, log, share, before)
        posted = self._board.look(digest, name)
        latest = {one: share.version for one, share in before.items()} | {name: posted.versions.get(name, -1)}
        news = [one for one, version in posted.versions.items() if latest.get(one, -1) < version]
        others = merged(before, self._board.read(digest, news))
        name, own = self._own(digest, log, share, others)
        if news:
            inside = others.get(FOLDED, Share()).within
            others = {one: found for one, found in others.items() if one not in inside and one != name}
            self._book.hear(digest, others)
        self._refill(digest, others, posted)
        if own is None:
            logger.error("learning.stranded", extra={"log": log, "router": digest[:12]})
            return None
        return self._tell(digest, name, own, posted)

    def tidy(self, digest: str, log: str, now: float) -> bool:
        """Fold the shares of replicas that are long gone into one, where there are many; tell whether it was done.

        Raises `BoardAway` and `StoreError`.
        """
        others = self._book.others(digest)
        posted = self._board.look(digest, log)
        gone = frozenset(one for one, at in posted.seen.items() if at < now - GONE_S and one in others)
        present = posted.versions.get(FOLDED, -1)
        if len(gone) < GONE_AT_LEAST or present != others.get(FOLDED, Share(-1)).version:
            return False
        together = folded(others, gone, max(present, 0) + 1)
        return self._board.fold(digest, together, present)

    def _own(self, digest: str, log: str, share: Share, others: Mapping[str, Share]) -> Own:
        """Return this replica's share, without what of it was folded while it was away, and its name."""
        inside = others.get(FOLDED, Share()).within
        name, generation = log, 0
        while name in inside:
            earlier = self._book.told(digest, name).get(inside[name])
            if earlier is None:
                return name, None
            share, generation = share.without(earlier), generation + 1
            name = f"{log}+{generation}"
        return name, share

    def _tell(self, digest: str, name: str, own: Share, posted: Posted) -> int | None:
        """Post this replica's share, where it is not there yet."""
        told = self._book.told(digest, name)
        stored = posted.versions.get(name, -1)
        if stored >= own.version and (stored > own.version or stored not in told):
            return stored + 1
        if stored < own.version:
            self._book.tell(digest, name, own)
            happened, stored = self._board.put(digest, name, own)
            if happened < 1:
                return None  # it has changed meanwhile: the next look tells how
        self._book.settle(digest, name, stored)
        return None

    def _refill(self, digest: str, others: Mapping[str, Share], posted: Posted) -> None:
        """Post what Redis has lost, whoever's it is."""
        together = others.get(FOLDED)
        if together is not None and posted.versions.get(FOLDED, -1) < together.version:
            self._board.fold(digest, together, None)
        for name, share in others.items():
            if name != FOLDED and name not in posted.folded and posted.versions.get(name, -1) < share.version:
                self._board.put(digest, name, share)
