"""The way to one URL of an endpoint: bodies go out, answers come in.

What a transport can do decides once, when a line is made, which of the two it is.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import httpx2

from providers.transport.answer import Whole
from providers.transport.head import RequestHead
from providers.transport.origin import origin_of
from providers.transport.response import HttpxAnswer
from providers.transport.transport import Call, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from providers.types import Answer, Timeouts

    #: Returns the headers that go with a key, by the key's name.
    Fields = Callable[[str], Mapping[str, str]]

#: An answer that comes whole may not be larger than this.
MAX_ANSWER_BYTES: Final = 256 * 1024 * 1024


class Post(NamedTuple):
    """A request: its body, the name of the key that it goes with, and headers of its own beside the line's."""

    body: bytes
    key: str
    headers: Mapping[str, str]


class Line(Protocol):
    """Sends to one URL. Raises `httpx2.HTTPError`, and `TooLarge` beyond `MAX_ANSWER_BYTES` of a whole answer."""

    def whole(self, post: Post, timeouts: Timeouts) -> Coroutine[Any, Any, Whole]:
        """Return the answer once all of it is there. Raises `TimeoutError`, too, if that takes too long."""
        ...

    async def open(self, post: Post, timeouts: Timeouts) -> Answer:
        """Return the answer once its head is there; how long that may take is the caller's business."""
        ...


def line_to(url: httpx2.URL, fields: Fields, transport: httpx2.AsyncBaseTransport) -> Line:
    """Return the line to a URL: the short one where the transport takes bytes."""
    return DirectLine(url, fields, transport) if isinstance(transport, Transport) else HttpxLine(url, fields, transport)


class DirectLine:
    """Sends by the transport's own connections. What is the same in all requests with one key is written once."""

    def __init__(self, url: httpx2.URL, fields: Fields, transport: Transport) -> None:
        self._url = url
        self._fields = fields
        self._transport = transport
        self._origin = origin_of(url)
        self._heads: dict[str, RequestHead] = {}

    def whole(self, post: Post, timeouts: Timeouts) -> Coroutine[Any, Any, Whole]:
        """Return the answer once all of it is there."""
        return self._transport.exchange(self._call(post), timeouts.connect_s, timeouts.total_s, MAX_ANSWER_BYTES)

    async def open(self, post: Post, timeouts: Timeouts) -> Answer:
        """Return the answer once its head is there."""
        answer = await self._transport.open(self._call(post), timeouts.connect_s)
        return HttpxAnswer(answer.as_response()) if "content-encoding" in answer.headers else answer

    def _call(self, post: Post) -> Call:
        head = self._heads.get(post.key)
        if head is None:
            head = self._heads[post.key] = RequestHead("POST", self._url, self._fields(post.key))
        return Call(self._origin, head.bytes_for(len(post.body), post.headers), post.body)


class HttpxLine:
    """Sends by httpx2's types, which any transport takes: proxies, and transports that somebody wrote."""

    def __init__(self, url: httpx2.URL, fields: Fields, transport: httpx2.AsyncBaseTransport) -> None:
        self._url = url
        self._fields = fields
        self._transport = transport

    async def whole(self, post: Post, timeouts: Timeouts) -> Whole:
        """Return the answer once all of it is there."""
        async with asyncio.timeout(timeouts.total_s):
            answer = await self.open(post, timeouts)
            try:
                return Whole(answer.status, answer.headers, await answer.whole(MAX_ANSWER_BYTES))
            except BaseException:
                await answer.aclose()
                raise

    async def open(self, post: Post, timeouts: Timeouts) -> Answer:
        """Return the answer once its head is there."""
        request = httpx2.Request(
            "POST",
            self._url,
            content=post.body,
            headers={**post.headers, **self._fields(post.key)},
            extensions={"timeout": limits(timeouts.total_s, timeouts.connect_s)},
        )
        return HttpxAnswer(await carried(request, self._transport))


async def carried(request: httpx2.Request, transport: httpx2.AsyncBaseTransport) -> httpx2.Response:
    """Return a transport's answer to a request. Raises `httpx2.HTTPError`."""
    try:
        return await transport.handle_async_request(request)
    except AttributeError as error:
        # anyio asks a connection that was lost as soon as it was made for its socket, which uvloop has no more.
        if error.name != "getpeername":
            raise
        raise httpx2.RemoteProtocolError("the connection was lost as soon as it was made") from error


def limits(total_s: float, connect_s: float) -> dict[str, float]:
    """Return time limits as transports take them."""
    return {"connect": connect_s, "read": total_s, "write": total_s, "pool": total_s}
