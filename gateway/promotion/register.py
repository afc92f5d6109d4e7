"""Where it is written down how far candidates have come: in the log, or in Redis as well."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from gateway.promotion.machine import last_standing
from routers.sums import Sums

if TYPE_CHECKING:
    from gateway.events import Event, Move
    from gateway.promotion.types import Standing
    from gateway.store.base import Store


class Register(Protocol):
    """Knows the last move of each policy. Only one move can follow another, whoever makes it."""

    @property
    def shared(self) -> bool:
        """Tell whether others count what they see for themselves, so that the log's other requests are theirs."""
        ...

    async def standing(self, policy: str, known: Standing | None) -> Standing | None:
        """Return where the policy's candidate stands, None for nowhere yet. Raises `StoreError`.

        `known` is what was known here: where less is known there, it is told.
        """
        ...

    async def put(self, move: Move) -> bool:
        """Write a move down, durably; return False where another came first. Raises `StoreError`."""
        ...

    async def exchange(self, policy: str, run: int, sums: Sums | None) -> Sums | None:
        """Tell what was counted here, if anything, and return what all others have counted; None: that is not known."""
        ...


class Durable(Protocol):
    """A way to the log that says when an event is on disk."""

    async def record_durably(self, event: Event) -> bool:
        """Return once an event is on disk: True if it was new. Raises `StoreError`."""
        ...


class LogRegister:
    """The log alone: a move's id says which one it follows, and the log stores an id once."""

    shared = False

    def __init__(self, recorder: Durable, log: Store) -> None:
        self._recorder = recorder
        self._log = log

    async def standing(self, policy: str, known: Standing | None) -> Standing | None:
        """Return where the moves in the log lead; see `Register.standing`."""
        del known
        return last_standing(await asyncio.to_thread(self._log.moves, policy))

    async def put(self, move: Move) -> bool:
        """Append a move to the log; see `Register.put`."""
        return await self._recorder.record_durably(move)

    async def exchange(self, policy: str, run: int, sums: Sums | None) -> Sums | None:
        """Return nothing: there are no others."""
        del policy, run, sums
        return Sums()
