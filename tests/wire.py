"""An endpoint that writes what it is told to, byte for byte: what no HTTP library would let it write."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Waits so many seconds; writes; or does one of `RESET` and `FOREVER` (what came before it, again and again).
Step = bytes | float | str
RESET, FOREVER = "reset", "forever"
#: Hangs up at once: what was not sent is lost, and the other side sees a reset.
_AT_ONCE = struct.pack("ii", 1, 0)


def head(content_type: str = "text/event-stream", *more: str, status: str = "200 OK") -> bytes:
    """Return the head of an answer that ends when the connection does."""
    lines = [f"HTTP/1.1 {status}", f"content-type: {content_type}", "connection: close", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def whole(body: bytes, content_type: str = "application/json", status: str = "200 OK") -> list[Step]:
    """Return an answer in one piece."""
    return [head(content_type, f"content-length: {len(body)}", status=status) + body]


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> list[Step]:
    """Return a stream in HTTP's chunks."""
    coded = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    return [head("text/event-stream", "transfer-encoding: chunked"), *coded, end]


@dataclass
class Wire:
    """Plays a script for each model; `calls` counts who was asked for."""

    scripts: Mapping[str, Sequence[Step]]
    calls: Counter[str] = field(default_factory=Counter)
    #: What was asked for, as it came.
    heads: list[bytes] = field(default_factory=list)
    host: str = "127.0.0.1"
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request, and play."""
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
            writer.close()
        except asyncio.CancelledError:
            # Before Python 3.12 a cancelled handler leaves its connection open.
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0)
        model = json.loads(await reader.readexactly(length) or b"{}").get("model", "")
        self.calls[model] += 1
        await self._play(self.scripts.get(model, ()), writer)

    async def _play(self, script: Sequence[Step], writer: asyncio.StreamWriter) -> None:
        last: list[Step] = []
        for step in script:
            if step == FOREVER:
                while not writer.is_closing():
                    for again in last:
                        await self._do(again, writer)
            await self._do(step, writer)
            last = [*last, step][-2:]

    async def _do(self, step: Step, writer: asyncio.StreamWriter) -> None:
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        elif step == RESET:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()
        elif isinstance(step, float):
            await asyncio.sleep(step)


async def stop_accepting(server: asyncio.Server) -> None:
    """Accept no more connections, and let those that were accepted begin.

    asyncio forgets a connection, without closing it, whose server is closed between the two (`Server._attach` asserts
    that the server still has sockets).
    """
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    for _ in range(4):
        await asyncio.sleep(0)


@contextlib.contextmanager
def playing(scripts: Mapping[str, Sequence[Step]], host: str = "127.0.0.1") -> Iterator[Wire]:
    """Serve scripts on a free port, in a thread."""
    wire, ready, over = Wire(scripts, host=host), threading.Event(), threading.Event()

    async def serve() -> None:
        async with await asyncio.start_server(wire.answer, host, 0) as server:
            wire.port = server.sockets[0].getsockname()[1]
            ready.set()
            await asyncio.to_thread(over.wait)
            await stop_accepting(server)
            # Who still plays has nobody who listens.
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield wire
    finally:
        over.set()
        thread.join(10)
