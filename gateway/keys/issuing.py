"""How a key comes to be and changes: from one state to the next, purely."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.keys.errors import KeyRevoked
from gateway.keys.key import VirtualKey
from gateway.keys.secret import hashed

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from gateway.keys.key import Scopes


def issued(key_id: str, name: str, scopes: Scopes, secret: str, at: datetime) -> VirtualKey:
    """Return a new key."""
    return VirtualKey(key_id, name, scopes, (hashed(secret),), created_at=at)


def changed(key: VirtualKey, name: str, scopes: Scopes) -> VirtualKey:
    """Return the key with another name and other scopes; the same one where nothing differs. Raises `KeyRevoked`."""
    _refuse_revoked(key)
    if (name, scopes) == (key.name, key.scopes):
        return key
    return replace(key, name=name, scopes=scopes, revision=key.revision + 1)


def rotated(key: VirtualKey, secret: str, grace: timedelta, at: datetime) -> VirtualKey:
    """Return the key with another secret; those before it are good until `grace` is over, or less. Raises `KeyRevoked`.

    Secrets whose time was up before are forgotten, all but the last one.
    """
    _refuse_revoked(key)
    ends = at + grace
    old = [replace(one, expires_at=min(one.expires_at or ends, ends)) for one in key.secrets]
    kept = [one for one in old[:-1] if one.good(at)] + old[-1:]
    return replace(key, secrets=(*kept, hashed(secret)), revision=key.revision + 1)


def revoked(key: VirtualKey, at: datetime) -> VirtualKey:
    """Return the key so that nobody may use it again; one that was revoked before stays as it is."""
    return key if key.revoked_at is not None else replace(key, revoked_at=at, revision=key.revision + 1)


def _refuse_revoked(key: VirtualKey) -> None:
    if key.revoked_at is not None:
        raise KeyRevoked(f"The key {key.name!r} ({key.id}) was revoked: make another one.")
