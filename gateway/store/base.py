"""What a log of events must do, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from gateway.events import Decision, Event, Feedback, Outcome


class StoreError(Exception):
    """The log cannot be read or written; the message names the file, the reason and the remedy."""


class RefusedEventError(StoreError):
    """One event is not fit to be stored, and never will be; the rest of its batch may be appended again."""

    def __init__(self, event: Event, reason: str) -> None:
        super().__init__(f"{type(event).__name__.lower()} cannot be stored: {reason}")
        self.event = event


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One request: its decision, what came of it (None while unknown), and its feedback, oldest first."""

    decision: Decision
    outcome: Outcome | None
    feedback: tuple[Feedback, ...]


class Store(Protocol):
    """An append-only log. Every method may be called from any thread, and blocks."""

    def append(self, events: Sequence[Event]) -> list[bool]:
        """Store events in one transaction, durably on return; tell of each whether it was new.

        A decision's id, an outcome's decision and a feedback's id are stored once: whatever comes later under
        the same key is ignored. Times must carry a time zone; a cost is rounded to 1e-9 dollars (half even).
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

    def close(self) -> None:
        """Let go of the store; using it afterwards raises `StoreError`. Closing twice is harmless."""
        ...
