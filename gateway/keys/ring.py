"""The keys that this process knows, kept up with the store: callers are served from memory, whatever becomes of it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gateway.keys.errors import KeysAway
from gateway.keys.index import KeyIndex
from gateway.keys.secret import PREFIX, digest_of

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.callers import Access
    from gateway.keys.store import KeyStore

logger = logging.getLogger("pointsman")

#: Seconds between two looks at the store: a key that was revoked elsewhere is refused within a second.
POLL_S: Final = 0.4


class KeyRing:
    """Keys by secret. What was read once stays known while the store is away, and returns to a store that lost it."""

    def __init__(self, store: KeyStore) -> None:
        self.store = store
        self.keys = KeyIndex()
        self._epoch, self._version = "", 0
        self._reading = asyncio.Lock()
        self._current: bool | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def current(self) -> bool:
        """Tell whether the store answered when it was read last: a key that is not known then does not exist."""
        return self._current is True

    async def watch(self) -> None:
        """Read the store, and go on doing so beside the requests until it is closed; a store may be away."""
        await self._look()
        self._watch = asyncio.ensure_future(self._go_on())

    async def refresh(self) -> None:
        """Take what has changed in the store. Raises `KeysAway`."""
        async with self._reading:
            try:
                await self._read()
            except KeysAway as error:
                self._note_away(error)
                raise
            if self._current is False:
                logger.info("keys.back")
            self._current = True

    def admit(self, shown: str, at: datetime) -> Access | None:
        """Return what a secret gives access to, None for what is no secret of a key.

        Raises `Unauthorized` where it has expired or was revoked, and `KeysAway` where nobody can tell whether there
        is such a key: an unknown one may have been made while the store was away.
        """
        if not shown.startswith(PREFIX):
            return None
        access = self.keys.admit(digest_of(shown), at)
        if access is None and not self.current:
            raise KeysAway("This API key is not known, and the store of keys does not answer: try again.")
        return access

    async def aclose(self) -> None:
        """Stop, and let go of the store."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self.store.aclose()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            await self._look()

    async def _look(self) -> None:
        with suppress(KeysAway):  # which is noted: callers are served from memory meanwhile
            await self.refresh()

    def _note_away(self, error: KeysAway) -> None:
        if self._current is not False:
            logger.error("keys.away", extra={"reason": str(error)})
        self._current = False

    async def _read(self) -> None:
        changes = await self.store.changes(self._version)
        if changes.epoch != self._epoch or changes.version < self._version:
            if known := self.keys.all():
                # Other data than were read: a store that has lost its own, or an older state of it.
                logger.warning("keys.restored", extra={"keys": len(known)})
                await self.store.restore(known)
            changes = await self.store.changes(0)
        while True:
            self.keys.take(changes.keys)
            self._epoch, self._version = changes.epoch, changes.upto
            if changes.upto >= changes.version:
                return
            changes = await self.store.changes(self._version)
