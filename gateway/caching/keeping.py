"""Keeps answers beside what goes on: nobody waits for it, and no failure of it reaches anybody."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.caching.entry import Entry, encoded
from gateway.caching.fitness import is_complete
from gateway.caching.shelf import Item, ShelfAway
from providers.strict_json import InvalidJson, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.caching.hit import Origin
    from gateway.caching.question import Question
    from gateway.caching.shelf import Shelf
    from gateway.caching.types import CacheRules, Counts, Written

#: Answers that may wait to be written; further ones are dropped.
MAX_WRITES: Final = 256


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked, under which policy and its rules, and when (seconds of 1970)."""

    question: Question
    policy: str
    rules: CacheRules
    now: float


class Keeping:
    """Puts answers on a shelf, if they are whole, and not larger than `max_bytes`."""

    def __init__(self, shelf: Shelf, identities: Mapping[str, str], max_bytes: int, counts: Counts) -> None:
        self.max_bytes = max_bytes
        self._shelf = shelf
        self._identities = identities
        self._counts = counts
        self._writes: set[asyncio.Task[None]] = set()

    def begin(self, order: Order, origin: Origin, whole: Callable[[], bytes | None]) -> None:
        """Begin to keep an answer, which `whole` returns."""
        if len(self._writes) >= MAX_WRITES:
            self._counts.wrote(order.policy, "dropped")
            return
        task = asyncio.get_running_loop().create_task(self._write(order, origin, whole))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def settle(self) -> None:
        """Wait until what was to be kept has been written."""
        while self._writes:
            await asyncio.wait(self._writes)

    async def _write(self, order: Order, origin: Origin, whole: Callable[[], bytes | None]) -> None:
        self._counts.wrote(order.policy, await self._written(order, origin, whole()))

    async def _written(self, order: Order, origin: Origin, answer: bytes | None) -> Written:
        """Keep an answer, if it may be kept; return what came of it."""
        if answer is not None and len(answer) > self.max_bytes:
            return "too_large"
        identity = self._identities.get(origin.model)
        if answer is None or identity is None or not _is_complete(answer, order):
            return "unfit"
        key, near = order.question.key, order.question.near
        entry = Entry(answer, origin.model, identity, origin.decision_id, order.now)
        try:
            fits = await self._shelf.put(Item(key, encoded(entry, key), order.rules.ttl_s, near), order.now)
        except ShelfAway:
            return "away"
        return "kept" if fits else "too_large"


def _is_complete(answer: bytes, order: Order) -> bool:
    try:
        read = parse(answer)
    except InvalidJson:
        return False
    return isinstance(read, dict) and is_complete(read, order.question.choices, order.rules)
