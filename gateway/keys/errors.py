"""What may be wrong with a call for a key, or with what a key is used for.

RequestError
├── KeyNotFound     404    no key has this id or name
├── KeyConflict     409    the name is another key's, or the key was changed meanwhile
├── KeyRevoked      409    a key that was revoked stays so
└── NotPermitted    403    the key does not allow it
StoreError
└── KeysAway        503    the keys cannot be read or written
"""

from __future__ import annotations

from gateway.errors import RequestError
from gateway.store.base import StoreError


class KeyNotFound(RequestError):
    """No key has this id or name."""

    status = 404
    code = "key_not_found"


class KeyConflict(RequestError):
    """The name is another key's, or the key was changed meanwhile."""

    status = 409
    code = "key_conflict"


class KeyRevoked(RequestError):
    """The key was revoked, which cannot be undone."""

    status = 409
    code = "key_revoked"


class NotPermitted(RequestError):
    """The caller's key does not allow what is asked for."""

    status = 403
    code = "not_permitted"


class KeysAway(StoreError):
    """The keys cannot be read or written; the message names the reason and the remedy."""
