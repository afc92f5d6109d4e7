"""Answers under way: one that came whole, and one that streams."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx2

from providers.errors import AnswerBroken, ProviderError, ProviderTimeout
from providers.produced import whole_answer
from providers.types import MAX_STREAM_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from providers.types import Decoded, Produced, StreamDecoder, Usage

#: The event that ends a stream.
DONE = b"data: [DONE]\n\n"
#: What ends an event: some servers hang up without it.
BLANK_LINE = b"\n\n"
#: Seconds to wait for the end of a stream that has said that it is complete.
END_S = 0.25
#: Bytes of a stream that may come before it has said anything.
MAX_SILENT_BYTES = 8 * 1024 * 1024


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
    """A stream that has begun to say something. Until then an endpoint may still be given up for another.

    `gap_s` is how long it may be silent, `deadline` when it must have ended, by the monotonic clock, and `max_bytes`
    how long it may be.
    """

    status = 200
    streams = True

    def __init__(
        self,
        response: httpx2.Response,
        decoder: StreamDecoder,
        provider: str,
        gap_s: float,
        deadline: float,
        *,
        max_bytes: int = MAX_STREAM_BYTES,
    ) -> None:
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        # Who compresses though asked not to is read all the same.
        self._pieces = response.aiter_bytes() if "content-encoding" in response.headers else response.aiter_raw()
        self._decoder = decoder
        self._provider = provider
        self._gap_s = gap_s
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._bytes = 0
        self._at_end = False
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
        """Wait until the stream says a part of the answer.

        Comments keep a connection alive, and a first chunk may only name the role: neither is a beginning that keeps
        another endpoint from being asked. Raises `ProviderError` where the stream ends before it, or begins with an
        error.
        """
        while not self._decoder.begun:
            # How long the first choice may take is the caller's to say; once it has come, silence is a stall.
            piece = await (self._in_time() if self._decoder.opened else self._next())
            if piece is None:
                raise AnswerBroken(f"{self._provider} ended the stream before it said anything")
            self._ready += self._decoder.feed(piece)
            if self._bytes > MAX_SILENT_BYTES and not self._decoder.begun:
                raise AnswerBroken(f"{self._provider} said nothing in the first {self._bytes} bytes")

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the events as they come.

        Raises `AnswerBroken` where the stream breaks off: it ends when it says so, or has said why it stopped; any
        other end is a broken answer. Raises `ProviderTimeout` after a silence of `gap_s`, and at the deadline. The
        endpoint is hung up on before anybody hears of it: it need not go on.
        """
        try:
            for event in self._ready:
                yield event
            while not self._decoder.done:
                for event in self._decoder.feed(await self._more()):
                    yield event
        except ProviderError:
            await self._hang_up()
            raise

    async def _more(self) -> bytes:
        """Return what comes next; after the last byte a blank line, and then the end that OpenAI's clients wait for."""
        piece = await self._in_time()
        if piece is not None:
            return piece
        if not self._at_end:
            self._at_end = True
            return BLANK_LINE
        if self._decoder.finish_reason is None:
            raise AnswerBroken(f"{self._provider} broke the stream off")
        return DONE

    async def _in_time(self) -> bytes | None:
        """Return the next piece, or None at the end. Raises `ProviderError`."""
        limit_s = min(self._gap_s, self._deadline - time.monotonic())
        if limit_s <= 0:
            # What is there already would be read without waiting, so no time limit would ever be noticed.
            raise ProviderTimeout(f"{self._provider} did not end the stream in time")
        try:
            async with asyncio.timeout(limit_s):
                return await self._next()
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise ProviderTimeout(f"{self._provider} sent nothing more within {limit_s:.3g} s") from error
        except httpx2.RequestError as error:
            raise AnswerBroken(f"{self._provider} broke the stream off: {type(error).__name__}") from error

    async def _next(self) -> bytes | None:
        piece = await anext(self._pieces, None)
        self._bytes += len(piece or b"")
        if self._bytes > self._max_bytes:
            raise AnswerBroken(f"{self._provider} sent a stream of more than {self._max_bytes} bytes")
        return piece

    async def aclose(self) -> None:
        """Give the connection up; if the stream has not ended, the endpoint sees us leave and stops."""
        if self._decoder.done:
            await self._read_end()
        await self._hang_up()

    async def _hang_up(self) -> None:
        await self._pieces.aclose()
        await self._response.aclose()

    async def _read_end(self) -> None:
        """Read the end of a complete stream: only then can its connection be used again."""
        try:
            async with asyncio.timeout(END_S):
                async for _ in self._pieces:
                    pass
        except (TimeoutError, httpx2.RequestError):
            return  # the answer is complete all the same, and the connection is given up
