"""An endpoint: address, keys and dialect. The only sender."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2

from providers.errors import ConnectFailed, ConnectionLost, ProviderTimeout, UpstreamError, from_response
from providers.reply import StreamReply, WholeReply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from providers.types import Adapter, ChatRequest, Reply, Target, Timeouts

#: An answer that comes whole may not be larger than this.
MAX_ANSWER_BYTES = 256 * 1024 * 1024


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
        self._url = httpx2.URL(f"{self._base_url}/{adapter.path}")
        # The answer is relayed as it comes, so it must not come compressed.
        self._headers = {"content-type": "application/json", "accept-encoding": "identity", **headers}
        self._adapter = adapter
        self._transport = transport

    async def send(
        self, chat: ChatRequest, target: Target, timeouts: Timeouts, headers: Mapping[str, str], key: str = ""
    ) -> Reply:
        """Send a request with one of the keys; return its answer: whole, or a stream that has begun to say something.

        `headers` are the client's that concern the endpoint (tracing). Raises `ProviderError`.
        """
        request = httpx2.Request(
            "POST",
            self._url,
            content=self._adapter.encode(chat, target),
            # What the configuration writes as a header goes before a key from the environment.
            headers={**headers, **self.credentials.headers.get(key, {}), **self._headers},
            extensions={"timeout": _limits(timeouts.total_s, timeouts.connect_s)},
        )
        deadline = time.monotonic() + timeouts.total_s
        limit_s = min(timeouts.ttft_s, timeouts.total_s) if chat.stream else timeouts.total_s
        async with self._translated(limit_s), asyncio.timeout(limit_s):
            response = await self._transport.handle_async_request(request)
            try:
                return await self._receive(response, chat, timeouts, deadline)
            except BaseException:
                await response.aclose()
                raise

    async def ask_health(self, path: str, timeout_s: float, key: str = "") -> None:
        """Ask for a path below the address. Raises `ProviderError` unless it is answered, with less than a 500."""
        request = httpx2.Request(
            "GET",
            f"{self._base_url}/{path.lstrip('/')}",
            headers={**self.credentials.headers.get(key, {}), **self._headers},
            extensions={"timeout": _limits(timeout_s, timeout_s)},
        )
        async with self._translated(timeout_s), asyncio.timeout(timeout_s):
            response = await self._transport.handle_async_request(request)
            await response.aclose()
        if response.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
            raise UpstreamError(f"{self.name} answered {response.status_code}", status=response.status_code)

    async def _receive(
        self, response: httpx2.Response, chat: ChatRequest, timeouts: Timeouts, deadline: float
    ) -> Reply:
        if response.status_code != httpx2.codes.OK:
            content = await self._read(response)
            raise from_response(self.name, response.status_code, response.headers, content, datetime.now(UTC))
        # Some endpoints call their events plain text; what is neither events nor JSON is found out at its beginning.
        is_stream = not response.headers.get("content-type", "").lower().startswith("application/json")
        if chat.stream and is_stream:
            decoder = self._adapter.stream_decoder(chat)
            reply = StreamReply(response, decoder, self.name, timeouts.gap_s, deadline, max_bytes=timeouts.stream_bytes)
            await reply.open()
            return reply
        decoded = self._adapter.decode(await self._read(response))
        # To an endpoint that cannot stream, a client that waits for events must not listen in vain.
        return WholeReply(response.headers, decoded, self._adapter.as_events(decoded, chat) if chat.stream else ())

    async def _read(self, response: httpx2.Response) -> bytes:
        pieces = []
        size = 0
        async for piece in response.aiter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise UpstreamError(f"{self.name} sent an answer of more than {MAX_ANSWER_BYTES} bytes")
        await response.aclose()
        return b"".join(pieces)

    @asynccontextmanager
    async def _translated(self, limit_s: float) -> AsyncIterator[None]:
        """Turn the HTTP library's errors into ours."""
        try:
            yield
        except httpx2.ConnectTimeout as error:
            raise ConnectFailed(f"{self.name} did not accept a connection in time") from error
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise ProviderTimeout(f"{self.name} did not answer within {limit_s} s") from error
        except httpx2.ConnectError as error:
            raise ConnectFailed(f"{self.name} was not reached: {error}") from error
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError) as error:
            raise ConnectionLost(f"{self.name} hung up: {type(error).__name__}: {error}") from error
        except AttributeError as error:
            # anyio asks a connection that was lost as soon as it was made for its socket, which uvloop has no more.
            if error.name != "getpeername":
                raise
            raise ConnectionLost(f"{self.name} hung up as soon as it was reached") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise UpstreamError(f"{self.name}: {type(error).__name__}: {error}") from error


def _limits(total_s: float, connect_s: float) -> dict[str, float]:
    """Return time limits as transports take them."""
    return {"connect": connect_s, "read": total_s, "write": total_s, "pool": total_s}
