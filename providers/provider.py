"""An endpoint: address, key and dialect. The only sender."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2

from providers.errors import ConnectFailed, ProviderTimeout, UpstreamError, from_response
from providers.reply import StreamReply, WholeReply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from providers.types import Adapter, ChatRequest, Reply, Target, Timeouts

#: An answer that comes whole may not be larger than this.
MAX_ANSWER_BYTES = 256 * 1024 * 1024


class Provider:
    """Sends requests to one endpoint, and turns what goes wrong into a `ProviderError`."""

    def __init__(
        self,
        name: str,
        *,
        base_url: str,
        headers: Mapping[str, str],
        adapter: Adapter,
        client: httpx2.AsyncClient,
    ) -> None:
        self.name = name
        self._url = httpx2.URL(f"{base_url.rstrip('/')}/{adapter.path}")
        # The answer is relayed as it comes, so it must not come compressed.
        self._headers = {"content-type": "application/json", "accept-encoding": "identity", **headers}
        self._adapter = adapter
        self._client = client

    async def send(self, chat: ChatRequest, target: Target, timeouts: Timeouts, headers: Mapping[str, str]) -> Reply:
        """Send a request and return its answer: whole, or a stream whose first event has come.

        `headers` are the client's that concern the endpoint (tracing). Raises `ProviderError`.
        """
        request = self._client.build_request(
            "POST",
            self._url,
            content=self._adapter.encode(chat, target),
            headers={**headers, **self._headers},
            timeout=httpx2.Timeout(timeouts.total_s, connect=timeouts.connect_s),
        )
        deadline = time.monotonic() + timeouts.total_s
        limit_s = min(timeouts.ttft_s, timeouts.total_s) if chat.stream else timeouts.total_s
        async with self._translated(limit_s), asyncio.timeout(limit_s):
            response = await self._client.send(request, stream=True)
            try:
                return await self._receive(response, chat, timeouts.gap_s, deadline)
            except BaseException:
                await response.aclose()
                raise

    async def _receive(self, response: httpx2.Response, chat: ChatRequest, gap_s: float, deadline: float) -> Reply:
        if response.status_code != httpx2.codes.OK:
            content = await self._read(response)
            raise from_response(self.name, response.status_code, response.headers, content, datetime.now(UTC))
        is_stream = response.headers.get("content-type", "").lower().startswith("text/event-stream")
        if chat.stream and is_stream:
            reply = StreamReply(response, self._adapter.stream_decoder(chat), self.name, gap_s, deadline)
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
        except (
            httpx2.ConnectError,
            httpx2.RemoteProtocolError,
            httpx2.ReadError,
            httpx2.WriteError,
        ) as error:
            raise ConnectFailed(f"{self.name} hung up or was not reached: {type(error).__name__}: {error}") from error
        except AttributeError as error:
            # anyio asks a connection that was lost as soon as it was made for its socket, which uvloop has no more.
            if error.name != "getpeername":
                raise
            raise ConnectFailed(f"{self.name} hung up as soon as it was reached") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise UpstreamError(f"{self.name}: {type(error).__name__}: {error}") from error
