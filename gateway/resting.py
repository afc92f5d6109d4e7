"""Connections that were refused, and are not answered for a moment, whatever they send.

Clients that never wait would otherwise take all the time there is with their refusals alone. So what they send is kept,
and read later, and of so many at a time that refusing them takes a share of the loop. Who hangs up is seen at once: as
long as there are many of them, there is overload.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.connections import BoundedProtocol

#: Seconds for which a connection rests.
PAUSE_S: Final = 0.5
#: How many go on at a time: refusing them takes about a millisecond.
AT_ONCE: Final = 40
#: Bytes of a connection that are kept; more is left to the system.
MOST_BYTES: Final = 65_536


class Rest(asyncio.Protocol):
    """Stands in for the protocol of a connection while it rests: the path of other requests knows nothing of it."""

    __slots__ = ("_kept", "_protocol", "_resting", "_transport")

    def __init__(self, protocol: BoundedProtocol, resting: Resting) -> None:
        self._protocol = protocol
        self._transport = protocol.transport
        self._resting = resting
        self._kept = b""
        self._transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self._kept += data
        if len(self._kept) > MOST_BYTES:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Rest no more."""
        self._resting.discard(self)
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._protocol.resume_writing()

    def wake(self) -> None:
        """Go on with what was kept, or else with waiting for it, as after an answer."""
        if self._transport.is_closing():
            return  # its protocol is told by `connection_lost`
        self._transport.set_protocol(self._protocol)
        self._transport.resume_reading()
        if self._kept:
            self._protocol.data_received(self._kept)
        else:
            self._protocol.on_response_complete()


class Resting:
    """The connections that rest, in the order in which they came."""

    def __init__(self) -> None:
        self._until: dict[Rest, float] = {}

    def __len__(self) -> int:
        """Return how many rest."""
        return len(self._until)

    def add(self, rest: Rest, now: float) -> None:
        """Let one rest that came after all others."""
        self._until[rest] = now + PAUSE_S

    def discard(self, rest: Rest) -> None:
        """Forget one that was lost."""
        self._until.pop(rest, None)

    def wake(self, now: float) -> None:
        """Go on with some whose time has come."""
        due = [rest for rest, until in islice(self._until.items(), AT_ONCE) if until <= now]
        for rest in due:
            del self._until[rest]
        for rest in due:
            rest.wake()
