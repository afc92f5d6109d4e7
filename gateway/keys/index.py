"""The keys in memory: found by id, by name, and by the digest of a secret. Pure: no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import Unauthorized
from gateway.keys.access import access_to

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gateway.callers import Access
    from gateway.keys.key import VirtualKey


@dataclass(frozen=True, slots=True)
class _Known:
    key: VirtualKey
    access: Access


class KeyIndex:
    """Every key that was ever read, each in the latest state that was seen of it."""

    def __init__(self) -> None:
        self._by_id: dict[str, _Known] = {}
        self._by_name: dict[str, _Known] = {}
        self._by_digest: dict[str, _Known] = {}

    def take(self, keys: Iterable[VirtualKey]) -> None:
        """Take states of keys, in any order: an earlier one than is known changes nothing."""
        for key in keys:
            known = self._by_id.get(key.id)
            if known is None or known.key.revision < key.revision:
                self._replace(known, _Known(key, access_to(key)))

    def all(self) -> list[VirtualKey]:
        """Return every key, the oldest first."""
        return [self._by_id[key_id].key for key_id in sorted(self._by_id)]

    def find(self, reference: str) -> VirtualKey | None:
        """Return the key with that id, or the one with that name that is not revoked."""
        known = self._by_id.get(reference) or self._by_name.get(reference)
        return None if known is None else known.key

    def admit(self, digest: str, at: datetime) -> Access | None:
        """Return what the secret with that digest gives access to, None for one that is unknown.

        Raises `Unauthorized` where the key was revoked, or the key or the secret has expired.
        """
        known = self._by_digest.get(digest)
        secret = None if known is None else known.key.secret(digest)
        if known is None or secret is None:
            return None
        status = known.key.status(at)
        if status == "revoked":
            raise Unauthorized("This API key was revoked.")
        if status == "expired":
            raise Unauthorized("This API key has expired.")
        if not secret.good(at):
            raise Unauthorized("This API key has expired: it was replaced by another one.")
        return known.access

    def _replace(self, old: _Known | None, new: _Known) -> None:
        if old is not None:
            self._forget(old)
        self._by_id[new.key.id] = new
        if new.key.revoked_at is None:
            self._by_name[new.key.name] = new
        for secret in new.key.secrets:
            self._by_digest[secret.digest] = new

    def _forget(self, old: _Known) -> None:
        if self._by_name.get(old.key.name) is old:
            del self._by_name[old.key.name]
        for secret in old.key.secrets:
            self._by_digest.pop(secret.digest, None)
