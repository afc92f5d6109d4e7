"""An answer of an endpoint: what came with its head, and its body, whole or as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping

    from providers.transport.connection import Connection
    from providers.transport.incoming import Head, Incoming


class Whole(NamedTuple):
    """An answer all of which has come: its status, its header fields by their names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class DirectAnswer:
    """An answer that comes over one of the transport's own connections."""

    __slots__ = ("_connection", "_incoming", "headers", "status")

    def __init__(self, head: Head, incoming: Incoming, connection: Connection) -> None:
        self.status = head.status
        self.headers: Mapping[str, str] = read_fields(head.fields)
        self._incoming = incoming
        self._connection = connection

    def next(self) -> Coroutine[Any, Any, bytes | None]:
        """Return what has come of the body since, None at its end. Raises `httpx2.TransportError`."""
        return self._incoming.next(None)

    def pour(self, take: Callable[[bytes], bool]) -> Coroutine[Any, Any, bool]:
        """Give `take` the body as it comes, as `providers.types.Answer` says. Raises `httpx2.TransportError`."""
        return self._incoming.pour(take)

    def interrupt(self, error: httpx2.TransportError) -> None:
        """End a wait for what comes next with an error."""
        self._incoming.interrupt(error)

    async def whole(self, most: int) -> bytes:
        """Return the body as `Incoming.whole` does. Raises `httpx2.TransportError`, and `TooLarge`."""
        return await self._incoming.whole(None, most)

    async def aclose(self) -> None:
        """Hang up, unless the answer has come to its end."""
        give_up(self._connection, self._incoming)

    def as_response(self) -> httpx2.Response:
        """Return it by httpx2's types, to be read there."""
        stream = Body(self._incoming, self._connection, None)
        return httpx2.Response(self.status, headers=raw_fields(self.headers), stream=stream)


class Body(httpx2.AsyncByteStream):
    """The body of an answer as httpx2 takes it, as it comes; no piece may take longer than `limit_s`."""

    def __init__(self, incoming: Incoming, connection: Connection, limit_s: float | None) -> None:
        self._incoming = incoming
        self._connection = connection
        self._limit_s = limit_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what has come since, until the end. Raises `httpx2.TransportError`."""
        while (piece := await self._incoming.next(self._limit_s)) is not None:
            yield piece

    async def aclose(self) -> None:
        """Hang up, unless the answer has come to its end."""
        give_up(self._connection, self._incoming)


def give_up(connection: Connection, incoming: Incoming | None) -> None:
    """Hang up, unless the answer has come to its end: the connection may carry another request by now."""
    if incoming is None or not incoming.complete:
        connection.abort()


def raw_fields(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return header fields that were read as they came: httpx2 takes no text beyond ASCII."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def read_fields(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return header fields by their names in lower case; those of one name are one list (RFC 9110, section 5.3)."""
    read: dict[str, str] = {}
    for name, value in fields:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        read[key] = f"{read[key]}, {text}" if key in read else text
    return read
