"""What the connection of a request offers beside ASGI's `receive` and `send`, where the server is our own."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from weakref import ref

if TYPE_CHECKING:
    from starlette.types import Scope, Send
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from gateway.api.leaving import Leaving

#: Where a server says, among the extensions of an ASGI scope, that it has a `Wire` for the request (`wire`).
EXTENSION: Final = "pointsman.wire"
#: The first lines of answers, by status; others have no phrase.
_FIRST_LINES: Final = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}


class Wire:
    """The connection of one request.

    `leaving` tells when it is lost; with other servers a task has to wait for that, some 25 microseconds a request.
    """

    __slots__ = ("_cycle", "leaving")

    _cycle: ref[RequestResponseCycle]

    def __init__(self, leaving: Leaving) -> None:
        self.leaving = leaving

    def begin(self, cycle: RequestResponseCycle) -> None:
        """Take what answers the request, once its head has come."""
        # What answers holds the scope, and the scope holds the wire. Were the circle closed, all that a request is made
        # of would be garbage that only a search finds, while nothing else is done.
        self._cycle = ref(cycle)

    @property
    def cycle(self) -> RequestResponseCycle:
        """Return what answers the request, while it does. Raises `RuntimeError` afterwards."""
        cycle = self._cycle()
        if cycle is None:
            raise RuntimeError("the request has been answered: nothing can be sent any more")
        return cycle

    def body(self) -> bytes | None:
        """Return the request's body where all of it has come; else None, and it has to be received.

        As `receive`, without a coroutine and an event to wait for: 1 KB comes in one piece with the head.
        """
        cycle = self.cycle
        if cycle.more_body or cycle.waiting_for_100_continue or cycle.disconnected:
            return None
        cycle.flow.resume_reading()
        cycle.message_event.clear()
        body, cycle.body = bytes(cycle.body), bytearray()
        return body

    def answer(self, status: int, fields: bytes, body: bytes) -> bool:
        """Answer in one piece; `fields` are the lines of the head, each with its line break, and well-formed.

        Return False where the client has to read earlier answers first: then nothing has been sent. By `send` it would
        be two writes to the connection, each some 6 microseconds, and each header would be looked at by itself.
        """
        cycle = self.cycle
        if cycle.disconnected or cycle.flow.write_paused:
            return cycle.disconnected
        head = _begin(cycle, status, fields)
        cycle.transport.writelines((b"%b\r\n" % head, body))
        _complete(cycle)
        return True

    def open(self, status: int, fields: bytes, data: bytes) -> bool:
        """Send the head of an answer with the first part of its body, as `answer` does; `write` sends the next.

        Return False where the client has to read earlier answers first: then nothing has been sent.
        """
        cycle = self.cycle
        if cycle.disconnected or cycle.flow.write_paused:
            return cycle.disconnected
        head = _begin(cycle, status, fields)
        if cycle.scope["http_version"] == "1.0":
            # It knows no chunks (RFC 9112, section 6.1): the answer ends with the connection, which is not kept.
            cycle.chunked_encoding = False
            cycle.transport.write(b"%b\r\n%b" % (head, data))
            return True
        cycle.chunked_encoding = True
        chunk = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        cycle.transport.write(b"%btransfer-encoding: chunked\r\n\r\n%b" % (head, chunk))
        return True

    def close(self) -> bool:
        """End an answer that was begun by `open`.

        Return False where the client has to read more of it first: then nothing has been sent.
        """
        cycle = self.cycle
        if cycle.disconnected or cycle.flow.write_paused:
            return cycle.disconnected
        if cycle.chunked_encoding:
            cycle.transport.write(b"0\r\n\r\n")
        _complete(cycle)
        return True

    def break_off(self, data: bytes) -> None:
        """End an answer that was begun, with a last part of its body, and the connection once all has been sent.

        A client that reads slowly is not waited for.
        """
        cycle = self.cycle
        if cycle.disconnected or cycle.response_complete:
            return
        if cycle.response_started:
            self.write(data)
            if cycle.chunked_encoding:
                cycle.transport.write(b"0\r\n\r\n")
        cycle.keep_alive = False
        _complete(cycle)

    def is_behind(self, send: Send) -> bool:
        """Tell whether what is sent goes to the connection as it is: nothing between them wants to see it."""
        return getattr(send, "__self__", None) is self.cycle

    def write(self, data: bytes) -> bool:
        """Send a part of a body that has been begun, and is not the last part of it, without a coroutine.

        Return False where the client reads so slowly that more has to wait, until `drained`. What nobody reads any
        more is thrown away, as by `send`.
        """
        cycle = self._cycle() or self.cycle  # a property is a call more, for each event
        if cycle.disconnected:
            return True
        cycle.transport.write(b"%x\r\n%b\r\n" % (len(data), data) if cycle.chunked_encoding else data)
        return not cycle.flow.write_paused

    async def drained(self) -> None:
        """Wait until the client has read most of what was sent, or has left."""
        await self.cycle.flow.drain()


def _begin(cycle: RequestResponseCycle, status: int, fields: bytes) -> bytes:
    """Note that an answer has begun, and return its head without the empty line at its end."""
    cycle.response_started, cycle.waiting_for_100_continue = True, False
    first = _FIRST_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    own = b"".join([b"%b: %b\r\n" % field for field in cycle.default_headers])
    return b"%b%b%b%b" % (first, own, fields, b"" if cycle.keep_alive else b"connection: close\r\n")


def _complete(cycle: RequestResponseCycle) -> None:
    """Note that all of an answer has been sent."""
    cycle.response_complete = True
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()


def wire_of(scope: Scope) -> Wire | None:
    """Return the wire of a request, None where its server has none to offer."""
    offered = (scope.get("extensions") or {}).get(EXTENSION)
    return None if offered is None else offered["wire"]
