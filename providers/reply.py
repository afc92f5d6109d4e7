"""Answers under way: one that came whole, and one that streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2

from providers.errors import AnswerBroken, ProviderError, ProviderTimeout, undecodable
from providers.patience import Patience, Silence
from providers.produced import whole_answer
from providers.time_limit import TimeLimit
from providers.types import MAX_STREAM_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from providers.types import Answer, Decoded, Produced, Sink, StreamDecoder, Usage

#: The event that ends a stream.
DONE = b"data: [DONE]\n\n"
#: What ends an event: some servers hang up without it.
BLANK_LINE = b"\n\n"
#: Seconds to wait for the end of a stream that has said that it is complete.
END_S = 0.25
#: Bytes of a stream that may come before it has said anything.
MAX_SILENT_BYTES = 8 * 1024 * 1024


def ignored(_: Sequence[bytes]) -> None:
    """Take events that nobody wants."""


class WholeReply:
    """A complete answer, already read and decoded. `events` are what a client gets that asked for a stream."""

    status = 200
    settled = True

    def __init__(self, headers: Mapping[str, str], decoded: Decoded, events: Sequence[bytes] = ()) -> None:
        self.headers = headers
        self.streams = bool(events)
        self._decoded = decoded
        self._events = events
        self._given = False

    @property
    def usage(self) -> Usage | None:
        """Return the usage, if the endpoint reported it."""
        return self._decoded.usage

    @property
    def finish_reason(self) -> str | None:
        """Return the reason that the model gave for stopping."""
        return self._decoded.finish_reason

    @property
    def answer(self) -> Mapping[str, Any] | None:
        """Return what the answer stands for, where it has been read."""
        return self._decoded.answer

    def produced(self) -> Produced:
        """Return what the answer says."""
        return whole_answer(self._decoded.body)

    async def pour(self, sink: Sink) -> bool:
        """Give the answer in one piece, or its events."""
        if self._given:
            return False
        self._given = True
        return bool(sink(self._events or (self._decoded.body,)))

    async def aclose(self) -> None:
        """Do nothing: the connection was given back when the answer had been read."""


class StreamReply:
    """A stream that has begun to say something. Until then an endpoint may still be given up for another.

    `gap_s` is how long it may be silent, `deadline` when it must have ended, by the monotonic clock, and `max_bytes`
    how long it may be.
    """

    status = 200
    streams = True
    answer = None

    def __init__(
        self,
        answer: Answer,
        decoder: StreamDecoder,
        provider: str,
        gap_s: float,
        deadline: float,
        *,
        max_bytes: int = MAX_STREAM_BYTES,
    ) -> None:
        self.headers: Mapping[str, str] = answer.headers
        self._answer = answer
        self._decoder = decoder
        self._provider = provider
        self._patience = Patience(gap_s, deadline, answer.interrupt)
        self._max_bytes = max_bytes
        self._bytes = 0
        self._at_end = False
        self._ready: list[bytes] = []
        # What was wrong after the last event that was as it should be.
        self._broken: ProviderError | None = None
        self._sink: Sink = ignored
        self._held = False

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
        try:
            while not self._decoder.begun:
                # How long the first choice may take is the caller's to say; once it has come, silence is a stall.
                if self._decoder.opened:
                    self._patience.begin()
                self._begin(await self._answer.next())
                self._patience.pause()
        except BaseException as error:
            self._patience.end()
            if self._decoder.opened and isinstance(error, httpx2.RequestError):
                raise self._broke_off(error) from error
            raise

    def _begin(self, piece: bytes | None) -> None:
        if piece is None:
            raise AnswerBroken(f"{self._provider} ended the stream before it said anything")
        self._count(piece)
        try:
            self._ready += self._decoder.feed(piece)
        except ProviderError:
            raise
        except Exception as error:
            raise undecodable(self._provider, error) from error
        if self._bytes > MAX_SILENT_BYTES and not self._decoder.begun:
            raise AnswerBroken(f"{self._provider} said nothing in the first {self._bytes} bytes")

    async def pour(self, sink: Sink) -> bool:
        """Give the events as they come, those together that have come at once, in the call that brings their bytes.

        No task is woken for an event, which would take as long as all the rest that is done for it. Raises
        `AnswerBroken` where the stream breaks off: it ends when it says so, or has said why it stopped; any other end
        is a broken answer. Raises `ProviderTimeout` after a silence of `gap_s`, and at the deadline. The endpoint is
        hung up on before anybody hears of it: it need not go on.
        """
        self._sink, self._held = sink, False
        try:
            await self._pour()
        except httpx2.RequestError as error:
            await self._hang_up()
            raise self._broke_off(error) from error
        except ProviderError:
            await self._hang_up()
            raise
        finally:
            self._sink = ignored
        return self._held

    async def _pour(self) -> None:
        """Pass on what comes until the sink holds it up, or the stream has ended."""
        if self._ready:
            ready, self._ready = self._ready, []
            self._held = bool(self._sink(ready))
        while not (self._held or self._decoder.done):
            self._patience.begin()
            try:
                if not await self._answer.pour(self._take):
                    self._take(None)
            finally:
                self._patience.pause()
            if self._broken is not None:
                raise self._broken

    def _take(self, piece: bytes | None) -> bool:
        """Pass on the events that a piece completes; tell whether no more is to come for now."""
        if (events := self._read(piece)) and self._sink(events):
            self._held = True
        if self._held or self._broken is not None or self._decoder.done:
            return True
        self._patience.begin()
        return False

    def _read(self, piece: bytes | None) -> list[bytes]:
        """Return the events that a piece completes, up to what is wrong; None is the end of the bytes."""
        events: list[bytes] = []
        try:
            if piece is None:
                piece = self._last()
            self._count(piece)
            for event in self._decoder.feed(piece):
                events.append(event)  # noqa: PERF402 - those before what is wrong are wanted, too
        except ProviderError as error:
            self._broken = error
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer breaks off here
            self._broken = undecodable(self._provider, error)
        return events

    def _last(self) -> bytes:
        """Return what follows the last byte: a blank line, and then the end that OpenAI's clients wait for."""
        if not self._at_end:
            self._at_end = True
            return BLANK_LINE
        if self._decoder.finish_reason is None:
            raise AnswerBroken(f"{self._provider} broke the stream off")
        return DONE

    def _count(self, piece: bytes) -> None:
        self._bytes += len(piece)
        if self._bytes > self._max_bytes:
            raise AnswerBroken(f"{self._provider} sent a stream of more than {self._max_bytes} bytes")

    def _broke_off(self, error: httpx2.RequestError) -> ProviderError:
        """Return what an error in the middle of a stream means."""
        if isinstance(error, Silence):
            return ProviderTimeout(f"{self._provider} {error}")
        if isinstance(error, httpx2.TimeoutException):
            return ProviderTimeout(f"{self._provider} sent nothing more in time")
        return AnswerBroken(f"{self._provider} broke the stream off: {type(error).__name__}")

    async def aclose(self) -> None:
        """Give the connection up; if the stream has not ended, the endpoint sees us leave and stops."""
        if self._decoder.done:
            await self._read_end()
        await self._hang_up()

    async def _hang_up(self) -> None:
        self._patience.end()
        await self._answer.aclose()

    async def _read_end(self) -> None:
        """Read the end of a complete stream: only then can its connection be used again."""
        try:
            with TimeLimit(END_S):
                while await self._answer.next() is not None:
                    pass
        except (TimeoutError, httpx2.RequestError):
            return  # the answer is complete all the same, and the connection is given up
