"""Makes, finds, changes and withdraws keys: what the admin API and `pointsman key` do."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from random import SystemRandom
from secrets import token_bytes
from typing import TYPE_CHECKING, Final

from gateway.errors import RequestError
from gateway.ids import uuid7
from gateway.keys.errors import KeyNotFound
from gateway.keys.issuing import changed, issued, revoked, rotated
from gateway.keys.key import Scopes
from gateway.keys.secret import ENTROPY_BYTES, new_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from gateway.keys.key import VirtualKey
    from gateway.keys.ring import KeyRing
    from gateway.keys.vocabulary import Vocabulary
    from gateway.keys.written import KeyChange, NewKey

logger = logging.getLogger("pointsman")

#: Chance for the ids of keys; secrets have the system's own.
_RNG: Final = SystemRandom()


@dataclass(frozen=True, slots=True)
class Issued:
    """A key with its secret, which is known only now: it is neither stored nor shown again."""

    key: VirtualKey
    secret: str


class Registry:
    """The keys of a store, as whoever is in charge of them sees them. All methods may raise `KeysAway`."""

    def __init__(self, ring: KeyRing, vocabulary: Vocabulary, entropy: Callable[[int], bytes] = token_bytes) -> None:
        self._ring = ring
        self._vocabulary = vocabulary
        self._entropy = entropy

    async def all(self) -> list[VirtualKey]:
        """Return every key, the oldest first, those included that were revoked."""
        await self._ring.refresh()
        return self._ring.keys.all()

    async def find(self, reference: str) -> VirtualKey:
        """Return the key with that id, or the one with that name that is not revoked. Raises `KeyNotFound`."""
        await self._ring.refresh()
        if (key := self._ring.keys.find(reference)) is None:
            raise KeyNotFound(f"No key has the id or name {reference!r}.")
        return key

    async def create(self, new: NewKey, at: datetime) -> Issued:
        """Make a key. Raises `KeyConflict` for a name that is taken, and `RequestError` for scopes that cannot be."""
        scopes = new.scopes(Scopes())
        if scopes.expires_at is not None and scopes.expires_at <= at:
            raise RequestError("'expires_at' is in the past.", param="expires_at", code="invalid_value")
        self._vocabulary.check(scopes)
        secret = new_secret(self._entropy(ENTROPY_BYTES))
        key = issued(f"key_{uuid7(at, _RNG).hex}", new.name, scopes, secret, at)
        await self._store(key, "key.created")
        return Issued(key, secret)

    async def change(self, reference: str, change: KeyChange) -> VirtualKey:
        """Change a key. Raises as `create` does, and `KeyNotFound` and `KeyRevoked`."""
        key = await self.find(reference)
        # What stays as it is may name what is no longer there.
        self._vocabulary.check(change.scopes(Scopes()))
        after = changed(key, change.name or key.name, change.scopes(key.scopes))
        await self._store(after, "key.changed")
        return after

    async def rotate(self, reference: str, grace: timedelta, at: datetime) -> Issued:
        """Give a key another secret; the old one stays good for `grace`. Raises `KeyNotFound` and `KeyRevoked`."""
        secret = new_secret(self._entropy(ENTROPY_BYTES))
        after = rotated(await self.find(reference), secret, grace, at)
        await self._store(after, "key.rotated")
        return Issued(after, secret)

    async def revoke(self, reference: str, at: datetime) -> VirtualKey:
        """Withdraw a key for good; doing so twice is harmless. Raises `KeyNotFound`."""
        after = revoked(await self.find(reference), at)
        await self._store(after, "key.revoked")
        return after

    async def _store(self, key: VirtualKey, event: str) -> None:
        await self._ring.store.put(key)
        logger.info(event, extra={"key": key.id, "key_name": key.name})
        # What was stored holds here at once, whether the store can be read again or not.
        self._ring.keys.take([key])
