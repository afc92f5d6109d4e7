"""What a store of keys must do. It is read beside the requests, never for one: those are served from memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from gateway.keys.errors import KeyConflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.keys.key import VirtualKey

#: Keys that are read at a time.
PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Changes:
    """What was written after a version: at most a page of keys, the oldest change first.

    `epoch` names the store's data, empty while it has none: data of another epoch are other data. `version` counts
    what was written to it, `upto` the part of that which these keys go up to.
    """

    epoch: str
    version: int
    upto: int
    keys: tuple[VirtualKey, ...]


class KeyStore(Protocol):
    """Keys that outlive the process, and that others may change at any time. Nothing is ever removed from it."""

    async def changes(self, since: int) -> Changes:
        """Return what was written after version `since`; a key that was written twice has its last state.

        Raises `KeysAway`.
        """
        ...

    async def put(self, key: VirtualKey) -> None:
        """Store the next state of a key, durably on return; storing what is there already changes nothing.

        Raises `KeyConflict` where another key that is not revoked has the name, or where what is stored is not the
        revision before this one (none before the first); and `KeysAway`, after which it may be stored or not.
        """
        ...

    async def restore(self, keys: Sequence[VirtualKey]) -> None:
        """Store those that are later than what is stored, whoever has their names: the store has lost data.

        Raises `KeysAway`.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the store. Closing twice is harmless."""
        ...


def name_taken(key: VirtualKey) -> KeyConflict:
    """Return the error for a key whose name is another one's."""
    return KeyConflict(f"The name {key.name!r} is another key's: choose another one.", param="name")


def changed_meanwhile(key: VirtualKey) -> KeyConflict:
    """Return the error for a key of which another revision is stored than the one before."""
    return KeyConflict(f"The key {key.name!r} was changed by somebody else meanwhile: look at it, and try again.")
