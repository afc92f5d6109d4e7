"""Answers under way: one that came whole, and one that streams."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx2

from providers.errors import ProviderTimeout, UpstreamError
from providers.produced import whole_answer
from providers.sse import event_data

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from providers.types import Decoded, Produced, StreamDecoder, Usage

#: The event that ends a stream.
DONE = b"data: [DONE]\n\n"
#: Data that is no part of an answer.
NO_ANSWER = (None, b"", b"[DONE]")
#: Seconds to wait for the end of a stream that has said that it is complete.
END_S = 0.05


class WholeReply:
    """A complete answer, already read and decoded. `events` are what a client gets that asked for a stream."""

    status = 200
    settled = True

    def __init__(self, headers: Mapping[str, str], decoded: Decoded, events: Sequence[bytes] = ()) -> None:
        self.headers = headers
        self.streams = bool(events)
        self._decoded = decoded
        self._events = events

    @property
    def usage(self) -> Usage | None:
        """Return the usage, if the endpoint reported it."""
        return self._decoded.usage

    @property
    def finish_reason(self) -> str | None:
        """Return the reason that the model gave for stopping."""
        return self._decoded.finish_reason

    def produced(self) -> Produced:
        """Return what the answer says."""
        return whole_answer(self._decoded.body)

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the answer in one piece, or its events."""
        for piece in self._events or (self._decoded.body,):
            yield piece

    async def aclose(self) -> None:
        """Do nothing: the connection was given back when the answer had been read."""


class StreamReply:
    """A stream whose first event has come. Until then an endpoint may still be given up for another.

    `gap_s` is how long it may be silent, `deadline` when it must have ended, by the monotonic clock.
    """

    status = 200
    streams = True

    def __init__(
        self, response: httpx2.Response, decoder: StreamDecoder, provider: str, gap_s: float, deadline: float
    ) -> None:
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._pieces = response.aiter_raw()
        self._decoder = decoder
        self._provider = provider
        self._gap_s = gap_s
        self._deadline = deadline
        self._ready: list[bytes] = []

    @property
    def usage(self) -> Usage | None:
        """Return the usage, as far as the stream has reported it."""
        return self._decoder.usage

    @property
    def finish_reason(self) -> str | None:
        """Return the reason for stopping, as far as the stream has given it."""
        return self._decoder.finish_reason

    @property
    def settled(self) -> bool:
        """Tell whether the usage is the endpoint's last word."""
        return self._decoder.settled

    def produced(self) -> Produced:
        """Return what the endpoint has said so far, also what the client has not got yet: it is charged for."""
        return self._decoder.produced()

    async def open(self) -> None:
        """Wait for the first event with data: comments keep a connection alive, and are no beginning of an answer.

        Raises `UpstreamError` where the stream ends before it, or begins with an error.
        """
        while not any(event_data(event) not in NO_ANSWER for event in self._ready):
            if self._decoder.done:
                raise UpstreamError(f"{self._provider} ended the stream before its first event")
            try:
                self._ready += self._decoder.feed(await anext(self._pieces))
            except StopAsyncIteration as end:
                raise UpstreamError(f"{self._provider} ended the stream before its first event") from end

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the events as they come.

        Raises `UpstreamError` where the stream breaks off: it ends when it says so, or has said why it
        stopped; any other end is a broken answer. Raises `ProviderTimeout` after a silence of `gap_s`, and
        at the deadline.
        """
        for event in self._ready:
            yield event
        while not self._decoder.done:
            for event in await self._more():
                yield event

    async def _more(self) -> list[bytes]:
        limit_s = min(self._gap_s, self._deadline - time.monotonic())
        try:
            async with asyncio.timeout(limit_s):
                return self._decoder.feed(await anext(self._pieces))
        except StopAsyncIteration as end:
            if self._decoder.finish_reason is None:
                raise UpstreamError(f"{self._provider} broke the stream off") from end
            self._decoder.done = True
            return [DONE]  # OpenAI's clients are told of the end
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise ProviderTimeout(f"{self._provider} sent nothing more within {limit_s:.3g} s") from error
        except httpx2.TransportError as error:
            raise UpstreamError(f"{self._provider} broke the stream off: {type(error).__name__}") from error

    async def aclose(self) -> None:
        """Give the connection up; if the stream has not ended, the endpoint sees us leave and stops."""
        if self._decoder.done:
            await self._read_end()
        await self._pieces.aclose()
        await self._response.aclose()

    async def _read_end(self) -> None:
        """Read the end of a complete stream: only then can its connection be used again."""
        try:
            async with asyncio.timeout(END_S):
                async for _ in self._pieces:
                    pass
        except (TimeoutError, httpx2.TransportError):
            return  # the answer is complete all the same, and the connection is given up
