"""What Redis has yet to be told, in the order in which it came to pass."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Final

from gateway.quotas.messages import Addition, Forgetting, Holding, Sum, ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.quotas.ledger import Reservation
    from gateway.quotas.messages import Message

#: Messages that are told at a time, and sums in one of them: while the script runs, Redis serves nobody else.
BATCH: Final = 200


class Outbox:
    """Messages, first come, first told; and sums of what was used by requests that Redis has never heard of."""

    def __init__(self, replica: str) -> None:
        self._names = (f"{replica}-{number}" for number in count())
        self._messages: deque[Message] = deque()
        self._used: dict[str, Sum] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Message) -> None:
        """Note what came to pass."""
        self._messages.append(message)

    def forget(self, id_: str) -> None:
        """Note that a reservation of which Redis may know was given up."""
        self.put(Forgetting(id_, next(self._names)))

    def used(self, reservation: Reservation, spent: Sequence[int]) -> None:
        """Note what was used on a reservation of which Redis does not know."""
        for claim, amount in zip(reservation.claims, spent, strict=True):
            if amount:
                before = self._used.get(claim.counter)
                used = amount + (before.used if before else 0)
                self._used[claim.counter] = Sum(claim.counter, used, 0, claim.until_ms)

    def held(self, reservation: Reservation, expires_ms: int) -> None:
        """Note that a reservation of which Redis does not know is open."""
        self._messages.append(Holding(reservation, expires_ms, next(self._names)))

    def add(self, sums: Iterable[Sum]) -> None:
        """Note what is to be added to counters."""
        remaining = tuple(sums)
        for start in range(0, len(remaining), BATCH):
            self._messages.append(Addition(remaining[start : start + BATCH], next(self._names)))

    def seal(self) -> None:
        """Turn what was used by requests that Redis has never heard of into messages."""
        self.add(self._used.values())
        self._used = {}

    def sweep(self, now_ms: int) -> None:
        """Forget what was used in windows that are over."""
        self._used = {name: one for name, one in self._used.items() if not ended(one.until_ms, now_ms)}

    def head(self) -> tuple[Message, ...]:
        """Return the messages that are next, no more than may be told at a time."""
        return tuple(self._messages[n] for n in range(min(BATCH, len(self._messages))))

    def drop(self, number: int) -> None:
        """Forget so many messages, which have been told."""
        for _ in range(number):
            self._messages.popleft()
