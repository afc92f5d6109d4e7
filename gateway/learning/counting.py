"""What is counted for one router: of each decision what the log says of it now, in place of what it said before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gateway.learning.caps import caps_of, moved, turned_down, weighed
from gateway.learning.credit import Credit, Row, counted, observations, served_by
from gateway.learning.rewards import mixed, voices_of
from gateway.store.values import to_micros
from routers.observations import Folding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from gateway.learning.book import Book, Progress
    from gateway.learning.caps import Caps, Masses
    from gateway.learning.share import Share
    from gateway.learning.subjects import Rules, Subject
    from gateway.store.base import Cursor, Followed, LoggedEvent
    from routers.observations import Summing
    from routers.sums import Sums

#: Decisions that are counted anew at a time.
PIECE: Final = 1000


@dataclass(frozen=True, slots=True)
class Pupil:
    """A router that learns online, and whose it is. It tells what rows add, and takes in sums."""

    subject: Subject
    router: Summing

    def exchanged(self, sums: Sums, added: Sequence[Row], removed: Sequence[Row], now: float) -> Sums:
        """Return sums with some rows more and some less, held as they are needed from `now` on."""
        if added:
            sums = sums + self.router.sums(observations(added))
        sums = sums - self.router.sums(observations(removed)) if removed else sums
        return self.router.folded(sums, now) if isinstance(self.router, Folding) else sums


class Counting:
    """Counts for one router, and keeps what it counted in a book. Only `resume` and `recap` are steps by themselves."""

    def __init__(self, book: Book, pupil: Pupil, rules: Rules) -> None:
        self._book = book
        self._rules = rules
        self.pupil = pupil
        self.name = pupil.subject.name
        self.progress = self._resumed()
        self._caps = book.caps(self.name)

    def forgotten(self) -> Progress:
        """Forget all that was counted, and return the beginning; the versions go on. Raises `StoreError`."""
        return self._book.begin(self.name, self.progress.digest, self.progress.share.version + 1)

    def advanced(self, upto: Cursor, events: Sequence[LoggedEvent]) -> Progress:
        """Count what has changed, and return the progress with it. Raises `StoreError`."""
        made = self.pupil.subject.made
        mine = [event for event in events if made(event.decision) and counted(event)]
        progress = self.progress.advanced(upto, self._recounted(self.progress.share, mine, self._caps))
        self._book.keep(progress)
        return progress

    def take(self, progress: Progress) -> None:
        """Go on from there: it has been written."""
        self.progress = progress
        self._caps = self._book.caps(self.name)

    def recap(self, log: Followed, masses: Masses) -> bool:
        """Turn down who says too much, by all that is known to be said; tell whether words weigh otherwise now.

        Raises `StoreError`; then nothing has changed.
        """
        caps = caps_of(masses, self._rules.trust)
        turned = sorted(key for key in {*caps, *self._caps} if caps.get(key) != self._caps.get(key))
        if not turned:
            return False
        share = self.progress.share
        with self._book.step():
            said = sorted(
                {decision for model, mark in turned for decision in self._book.said_by(self.name, model, mark)}
            )
            for first in range(0, len(said), PIECE):
                share = self._recounted(share, log.events(said[first : first + PIECE]), caps)
            progress = self.progress.advanced(self.progress.cursor, share)
            self._book.cap(self.name, caps)
            self._book.keep(progress)
        self.take(progress)
        return True

    def renumber(self, version: int) -> None:
        """Give what was learned another version. Raises `StoreError`."""
        progress = self.progress.renumbered(version)
        with self._book.step():
            self._book.keep(progress)
        self.progress = progress

    def _resumed(self) -> Progress:
        """Return where it goes on: at the beginning where anything that the sums depend on has changed."""
        digest = self.pupil.subject.digest
        found = self._book.progress(self.name)
        if found is not None and found.digest == digest:
            return found
        with self._book.step():
            return self._book.begin(self.name, digest, 0)

    def _recounted(self, share: Share, events: Sequence[LoggedEvent], caps: Caps) -> Share:
        """Count events as they are now, in place of what was counted of them; return the share with it."""
        by_id = {event.decision.id: event for event in events}
        said = {decision: voices_of(event, self._rules.rewards) for decision, event in by_id.items()}
        after = {
            decision: Credit.of(mixed(turned_down(voices, served_by(by_id[decision]), caps)))
            for decision, voices in said.items()
        }
        words = {decision: (served_by(by_id[decision]), weighed(voices)) for decision, voices in said.items()}
        share = replace(share, masses=self._heard(share.masses, words))
        return self._credited(share, by_id, after)

    def _heard(self, masses: Masses, words: Mapping[UUID, tuple[str, Mapping[str, int]]]) -> Masses:
        """Note who has said something of answers; return how much everybody has said."""
        before = self._book.voices(self.name, list(words))
        news = {decision: word for decision, word in words.items() if word[1] != before[decision]}
        self._book.hear_voices(self.name, news)
        change: Masses = {}
        for decision, (model, steps) in news.items():
            of_model = change.setdefault(model, {})
            for sign, said in ((1, steps), (-1, before[decision])):
                for mark, count in said.items():
                    of_model[mark] = of_model.get(mark, 0) + sign * count
        return moved(masses, change)

    def _credited(self, share: Share, events: Mapping[UUID, LoggedEvent], after: Mapping[UUID, Credit]) -> Share:
        """Note what is counted of answers; return the share with it."""
        before = self._book.counted(self.name, list(events))
        changed = {decision: credit for decision, credit in after.items() if not credit.same(before.get(decision))}
        self._book.count(self.name, changed)
        added = [Row(events[decision], credit) for decision, credit in changed.items()]
        removed = [Row(events[decision], before[decision]) for decision in changed if decision in before]
        latest = max([share.latest, *(to_micros(row.event.decision.at) for row in added)])
        return replace(
            share,
            rows=share.rows + len(added) - len(removed),
            latest=latest,
            sums=self.pupil.exchanged(share.sums, added, removed, latest / 1e6),
        )
