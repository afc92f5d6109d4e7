"""What a log of events must do, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from gateway.events import Decision, Erasure, Event, Feedback, Move, Outcome


class StoreError(Exception):
    """The log cannot be read or written; the message names the file, the reason and the remedy."""


class RefusedEventError(StoreError):
    """One event is not fit to be stored, and never will be; the rest of its batch may be appended again."""

    def __init__(self, event: Event, reason: str) -> None:
        super().__init__(f"{type(event).__name__.lower()} cannot be stored: {reason}")
        self.event = event


class RewoundError(StoreError):
    """A cursor does not belong to this log: read it from its start, and forget what came of the other."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One request: its decision, what came of it (None while unknown), and its feedback, oldest first."""

    decision: Decision
    outcome: Outcome | None
    feedback: tuple[Feedback, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the changes of a log were read: `position` is the last one's number, `mark` what it was about.

    `log` is the id that the log was given when it was made. As it comes without arguments, it stands before the first
    change of any log.
    """

    log: str = ""
    position: int = 0
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which feedback is meant: what has all that is given here, of which there is something."""

    id: str | None = None
    decision_id: UUID | None = None
    caller: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if (self.id, self.decision_id, self.caller, self.source) == (None,) * 4:
            raise ValueError("select feedback by its id, decision, caller or source: all of it is never meant")


class Followed(Protocol):
    """A log as somebody reads it who wants to know what is new. Every method may be called from any thread."""

    def changed(self, after: Cursor, limit: int) -> tuple[list[UUID], Cursor]:
        """Return the decisions about which anything was stored since, oldest change first, and how far that goes.

        A decision, its outcome, feedback on it and that it was deleted are changes; at most `limit` are read, and a
        decision is named once, even if it is not there yet. None are left out: changes are numbered in the order in
        which they become visible. Raises `RewoundError` where the cursor is of another log, or of a later state of
        this one, that was put back from a copy since; else `StoreError`.
        """
        ...

    def events(self, ids: Sequence[UUID]) -> list[LoggedEvent]:
        """Return these decisions with what belongs to them, in this order; one that is not there is left out.

        Raises `StoreError`.
        """
        ...


class Store(Followed, Protocol):
    """An append-only log. Every method may be called from any thread, and blocks."""

    def append(self, events: Sequence[Event]) -> list[bool]:
        """Store events in one transaction, durably on return; tell of each whether it was new.

        A decision's id, an outcome's decision and a feedback's id are stored once: whatever comes later under
        the same key is ignored. An erasure deletes the feedback of its id, and keeps it from coming again. Times must
        carry a time zone; a cost is rounded to 1e-9 dollars (half even).
        Raises `RefusedEventError` for the first event that cannot be stored, else `StoreError` where the
        store fails; nothing of the batch is stored then.
        """
        ...

    def joined(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        policy: str | None = None,
        limit: int | None = None,
        *,
        newest_first: bool = False,
    ) -> Iterator[LoggedEvent]:
        """Yield decisions with `since` <= time < `until`, ordered by time, then id, with what belongs to them.

        The log is read piece by piece: it may be longer than memory, and may grow meanwhile. Raises
        `StoreError`.
        """
        ...

    def feedback(self, feedback_id: str) -> Feedback | None:
        """Return the feedback stored under an id, also where its decision is unknown. Raises `StoreError`."""
        ...

    def erase(self, which: Selection, at: datetime) -> list[Erasure]:
        """Delete feedback for good, and return what is left of each piece: its erasure.

        Nothing that it said stays in the log, nor does it come back where it is stored again under its id. Raises
        `StoreError`.
        """
        ...

    def moves(self, policy: str | None = None) -> list[Move]:
        """Return the moves between states, of one policy or of all, in the order in which they were stored.

        Raises `StoreError`.
        """
        ...

    def close(self) -> None:
        """Let go of the store; using it afterwards raises `StoreError`. Closing twice is harmless."""
        ...
