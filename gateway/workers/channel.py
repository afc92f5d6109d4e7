"""Questions and answers between a worker and its parent, both ways over one socket: each a line of JSON.

Not pickle: what a worker reads from its parent, and the parent from a worker, can be nothing but data.
"""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from socket import socket

    #: Answers a question: at once, or as a coroutine.
    Answering = Callable[..., Any]


class ChannelClosed(Exception):
    """The other process is gone, or about to be."""


class Channel(asyncio.Protocol):
    """One end. `answering` has a function for each question that the other end may ask.

    What comes is answered in the order in which it came, but for what is answered by a coroutine.
    """

    def __init__(self, answering: Mapping[str, Answering]) -> None:
        self._answering = answering
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport | None = None
        self._piece: list[bytes] = []
        #: Done once the other end is closed.
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def over(cls, end: socket, answering: Mapping[str, Answering]) -> Channel:
        """Return the channel over one end of a pair of sockets."""
        _, channel = await asyncio.get_running_loop().create_unix_connection(lambda: cls(answering), sock=end)
        return channel

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport  # type: ignore[assignment] # a stream's, as asyncio promises

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits for an answer that there will be none."""
        del exc
        self._transport = None
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(ChannelClosed("the process that was asked has ended"))
        self._asked.clear()
        self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Answer, and hand out answers."""
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._piece, lines[0]])
            self._piece.clear()
        if rest:
            self._piece.append(rest)
        for line in lines:
            self._take(*json.loads(line))

    async def ask(self, what: str, *details: Any) -> Any:
        """Return the answer to a question. Raises `ChannelClosed`; the question may have been heard all the same.

        Whoever is cancelled while waiting has asked all the same.
        """
        number = next(self._numbers)
        waiting = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._send([number, what, *details])
            return await waiting
        finally:
            self._asked.pop(number, None)

    def tell(self, what: str, *details: Any) -> None:
        """Tell something that needs no answer; nobody hears it where the other end is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._send([0, what, *details])

    def close(self) -> None:
        """Hang up, once what was said has been sent."""
        if self._transport is not None:
            self._transport.close()

    def _take(self, number: int, what: Any, *details: Any) -> None:
        if number < 0:
            waiting = self._asked.get(-number)
            if waiting is not None and not waiting.done():
                waiting.set_result(what)
            return
        answer = self._answering[what](*details)
        if number == 0:
            return
        if asyncio.iscoroutine(answer):
            task = asyncio.ensure_future(self._answer_later(number, answer))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)
        else:
            self._send([-number, answer])

    async def _answer_later(self, number: int, answer: Coroutine[Any, Any, Any]) -> None:
        try:
            said = await answer
        except BaseException:
            self.close()  # nobody shall wait for an answer that never comes; the defect shows as that of a task
            raise
        if self._transport is not None:  # else nobody waits for it any more
            self._send([-number, said])

    def _send(self, message: list[Any]) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ChannelClosed("the process to be asked has ended")
        self._transport.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
