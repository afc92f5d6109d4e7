"""An endpoint: address, keys and dialect. The only sender."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import httpx2

from providers.errors import (
    ConnectFailed,
    ConnectionLost,
    ProviderError,
    ProviderTimeout,
    UpstreamError,
    from_response,
    undecodable,
)
from providers.reply import StreamReply, WholeReply
from providers.time_limit import TimeLimit
from providers.transport.incoming import OK, TooLarge
from providers.transport.line import MAX_ANSWER_BYTES, Post, carried, limits, line_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.types import Adapter, Answer, ChatRequest, Reply, Target, Timeouts

#: What goes wrong on the way to an endpoint.
_FAILURES: Final = (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The headers that each key stands for, by the key's name, and whether the caller's `Authorization` is sent on."""

    headers: Mapping[str, Mapping[str, str]]
    forwards_callers: bool = False


NO_CREDENTIALS = Credentials({})


class Provider:
    """Sends requests to one endpoint, and turns what goes wrong into a `ProviderError`.

    `headers` go with each of them.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str,
        headers: Mapping[str, str],
        adapter: Adapter,
        transport: httpx2.AsyncBaseTransport,
        credentials: Credentials = NO_CREDENTIALS,
    ) -> None:
        self.name = name
        self.credentials = credentials
        self._base_url = base_url.rstrip("/")
        # The answer is relayed as it comes, so it must not come compressed.
        self._headers = {"content-type": "application/json", "accept-encoding": "identity", **headers}
        self._adapter = adapter
        self._transport = transport
        self._line = line_to(httpx2.URL(f"{self._base_url}/{adapter.path}"), self._fields, transport)

    async def send(
        self, chat: ChatRequest, target: Target, timeouts: Timeouts, headers: Mapping[str, str], key: str = ""
    ) -> Reply:
        """Send a request with one of the keys; return its answer: whole, or a stream that has begun to say something.

        `headers` are the client's that concern the endpoint (tracing). Raises `ProviderError`.
        """
        post = Post(self._adapter.encode(chat, target), key, headers)
        limit_s = min(timeouts.ttft_s, timeouts.total_s) if chat.stream else timeouts.total_s
        try:
            if chat.stream:
                deadline = time.monotonic() + timeouts.total_s
                with TimeLimit(limit_s):
                    return await self._begun(await self._line.open(post, timeouts), chat, timeouts, deadline)
            answer = await self._line.whole(post, timeouts)
            return self._read(answer.status, answer.headers, answer.content, chat)
        except _FAILURES as error:
            raise self._translated(error, limit_s) from error

    async def ask_health(self, path: str, timeout_s: float, key: str = "") -> None:
        """Ask for a path below the address. Raises `ProviderError` unless it is answered, with less than a 500."""
        request = httpx2.Request(
            "GET",
            f"{self._base_url}/{path.lstrip('/')}",
            headers=self._fields(key),
            extensions={"timeout": limits(timeout_s, timeout_s)},
        )
        try:
            with TimeLimit(timeout_s):
                response = await carried(request, self._transport)
                await response.aclose()
        except _FAILURES as error:
            raise self._translated(error, timeout_s) from error
        if response.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
            raise UpstreamError(f"{self.name} answered {response.status_code}", status=response.status_code)

    def _fields(self, key: str) -> dict[str, str]:
        """Return the headers of every request with a key."""
        # What the configuration writes as a header goes before a key from the environment.
        return {**self.credentials.headers.get(key, {}), **self._headers}

    async def _begun(self, answer: Answer, chat: ChatRequest, timeouts: Timeouts, deadline: float) -> Reply:
        """Return the answer to a client that asked for a stream."""
        try:
            # Some endpoints call their events plain text; what is neither events nor JSON shows in its first bytes.
            is_json = answer.headers.get("content-type", "").lower().startswith("application/json")
            if answer.status != OK or is_json:
                return self._read(answer.status, answer.headers, await answer.whole(MAX_ANSWER_BYTES), chat)
            decoder = self._adapter.stream_decoder(chat)
            reply = StreamReply(answer, decoder, self.name, timeouts.gap_s, deadline, max_bytes=timeouts.stream_bytes)
            await reply.open()
        except BaseException:
            await answer.aclose()
            raise
        return reply

    def _read(self, status: int, headers: Mapping[str, str], content: bytes, chat: ChatRequest) -> WholeReply:
        """Return an answer that has come whole. Raises `ProviderError`."""
        try:
            if status == OK:
                decoded = self._adapter.decode(content)
                # To an endpoint that cannot stream, a client that waits for events must not listen in vain.
                return WholeReply(headers, decoded, self._adapter.as_events(decoded, chat) if chat.stream else ())
            failure = from_response(self.name, status, headers, content, datetime.now(UTC))
        except ProviderError:
            raise
        except Exception as error:
            raise undecodable(self.name, error) from error
        raise failure

    def _translated(self, error: Exception, limit_s: float) -> ProviderError:
        """Return what an error of the HTTP library means."""
        match error:
            case TooLarge():
                return UpstreamError(f"{self.name} sent an answer of more than {MAX_ANSWER_BYTES} bytes")
            case httpx2.ConnectTimeout():
                return ConnectFailed(f"{self.name} did not accept a connection in time")
            case TimeoutError() | httpx2.TimeoutException():
                return ProviderTimeout(f"{self.name} did not answer within {limit_s} s")
            case httpx2.ConnectError():
                return ConnectFailed(f"{self.name} was not reached: {error}")
            case httpx2.RemoteProtocolError() | httpx2.ReadError() | httpx2.WriteError():
                return ConnectionLost(f"{self.name} hung up: {type(error).__name__}: {error}")
            case _:
                return UpstreamError(f"{self.name}: {type(error).__name__}: {error}")
