"""Whether something implements a protocol, asked once for each of its classes."""

from __future__ import annotations

from typing import Final, TypeGuard, TypeVar

Protocol = TypeVar("Protocol")

#: As many entries as there are classes of routers and protocols.
_KNOWN: Final[dict[tuple[type, type], bool]] = {}


def implements(thing: object, protocol: type[Protocol]) -> TypeGuard[Protocol]:
    """Tell whether a thing implements a protocol that may be asked for while running.

    What is a matter of its class is found out once: `isinstance` with a protocol looks every member up each time, which
    takes some 10 microseconds, and a request asks several times.
    """
    key = type(thing), protocol
    known = _KNOWN.get(key)
    if known is None:
        known = _KNOWN[key] = isinstance(thing, protocol)
    return known
