"""Who waits for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class ClientLeft(Exception):
    """The client closed the connection before it was answered, or before all of its answer was sent."""


@dataclass(slots=True)
class Client:
    """The client of one request. One that has left gets nothing more, and what is done for it is given up.

    Once its answer has `begun` to be sent, it can no longer be given another one in its place.
    """

    left: bool = False
    begun: bool = False


class Outlet(Protocol):
    """The way to a client that gets its answer as a stream."""

    def write(self, events: Sequence[bytes]) -> bool:
        """Send events, and return True where more has to wait until it is `drained`: the client reads slowly."""
        ...

    async def drained(self) -> None:
        """Wait until there is room for more. Raises `ClientLeft`."""
        ...
