"""A mock upstream that speaks OpenAI's dialect: a fixed answer, or a stream of events that carry their send time.

Run `python benchmarks/mock_upstream.py --port 9100`. Each event's content is `@MICROSECONDS@` of the monotonic
clock. It listens on 127.0.0.1 and ends by itself after `--ttl` seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import time
from dataclasses import dataclass
from typing import cast

import httptools
import uvloop

ANSWER = {
    "id": "chatcmpl-mock",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "mock-model",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "lorem " * 33}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 20, "completion_tokens": 40, "total_tokens": 60},
}
CHUNK = {
    "id": "chatcmpl-mock",
    "object": "chat.completion.chunk",
    "created": 1_700_000_000,
    "model": "mock-model",
    "choices": [{"index": 0, "delta": {"content": "@STAMP@ "}, "finish_reason": None}],
}
LAST_CHUNK = CHUNK | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": ANSWER["usage"]}
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def _whole() -> bytes:
    body = json.dumps(ANSWER).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def _event(data: bytes) -> bytes:
    return b"%x\r\ndata: %s\n\n\r\n" % (len(data) + 8, data)


WHOLE = _whole()
CHUNK_BEFORE, CHUNK_AFTER = json.dumps(CHUNK).encode().split(b"STAMP")
STREAM_END = _event(json.dumps(LAST_CHUNK).encode()) + _event(b"[DONE]") + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Pace:
    """Events in a stream, and the seconds between two."""

    chunks: int
    interval_s: float


class Upstream(asyncio.Protocol):
    """One connection, which sends its next request when the last is answered."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop a stream that nobody reads."""
        del exc
        if self._next is not None:
            self._next.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse; hang up on what is not HTTP."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Answer."""
        body = b"".join(self._body)
        self._body.clear()
        if b'"stream":true' in body or b'"stream": true' in body:
            self._transport.write(STREAM_HEAD)
            self._step(self._pace.chunks - 1)
        else:
            self._transport.write(WHOLE)

    def _step(self, left: int) -> None:
        """Send an event, and arrange for the next."""
        if not left:
            self._transport.write(STREAM_END)
            return
        self._transport.write(_event(b"%s%d%s" % (CHUNK_BEFORE, time.monotonic_ns() // 1000, CHUNK_AFTER)))
        self._next = self._loop.call_later(self._pace.interval_s, self._step, left - 1)


async def _serve(port: int, pace: Pace, ttl_s: float, tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(pace), "127.0.0.1", port, backlog=4096, ssl=tls)
    async with server:
        await asyncio.sleep(ttl_s)


def main() -> None:
    """Serve until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--chunks", type=int, default=60)
    parser.add_argument("--interval-us", type=int, default=20_000)
    parser.add_argument("--ttl", type=float, default=600)
    parser.add_argument("--certificate", help="file in PEM with a key and its certificate, to speak TLS")
    options = parser.parse_args()
    tls = None
    if options.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certificate)
    pace = Pace(options.chunks, options.interval_us / 1e6)
    uvloop.run(_serve(options.port, pace, options.ttl, tls))


if __name__ == "__main__":
    main()
