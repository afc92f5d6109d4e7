"""What the connection of a request offers beside ASGI's `receive` and `send`, where the server is our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import Scope, Send
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from gateway.api.leaving import Leaving

#: Where a server says, among the extensions of an ASGI scope, that it has a `Wire` for the request (`wire`).
EXTENSION: Final = "pointsman.wire"


class Wire:
    """The connection of one request.

    `leaving` tells when it is lost; with other servers a task has to wait for that, some 25 microseconds a request.
    """

    __slots__ = ("cycle", "leaving")

    #: What answers the request; there from the end of its head on.
    cycle: RequestResponseCycle

    def __init__(self, leaving: Leaving) -> None:
        self.leaving = leaving

    def is_behind(self, send: Send) -> bool:
        """Tell whether what is sent goes to the connection as it is: nothing between them wants to see it."""
        return getattr(send, "__self__", None) is self.cycle

    def write(self, data: bytes) -> bool:
        """Send a part of a body that has been begun, and is not the last part of it, without a coroutine.

        Return False where the client reads so slowly that more has to wait, until `drained`. What nobody reads any
        more is thrown away, as by `send`.
        """
        cycle = self.cycle
        if cycle.disconnected:
            return True
        cycle.transport.write(b"%x\r\n%b\r\n" % (len(data), data) if cycle.chunked_encoding else data)
        return not cycle.flow.write_paused

    async def drained(self) -> None:
        """Wait until the client has read most of what was sent, or has left."""
        await self.cycle.flow.drain()


def wire_of(scope: Scope) -> Wire | None:
    """Return the wire of a request, None where its server has none to offer."""
    offered = (scope.get("extensions") or {}).get(EXTENSION)
    return None if offered is None else offered["wire"]
