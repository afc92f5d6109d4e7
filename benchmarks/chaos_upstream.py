"""An endpoint for `chaos.py` and `kills.py`: streams in OpenAI's dialect, counts what it charges, and fails as told.

`--mode FILE` names a file whose word says what it does from then on: `ok`, `stall` (says nothing more, in open streams
either) or `limit` (429). Before it charges for an answer it notes the request's `user` and the tokens in `--ledger`, a
line each, so that nothing is forgotten when it is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

if TYPE_CHECKING:
    from io import TextIOWrapper

HEAD = b"HTTP/1.1 %b\r\ncontent-type: %b\r\nconnection: close\r\n%b\r\n"
LIMITED = b'{"error": {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}}'
#: Seconds between two looks at the mode while stalled.
LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Upstream:
    """How it answers."""

    chunks: int
    interval_s: float
    mode: Path
    ledger: TextIOWrapper

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = json.loads(await reader.readexactly(length))
            if self._is("limit"):
                writer.write(HEAD % (b"429 Too Many Requests", b"application/json", b"retry-after: 1\r\n") + LIMITED)
            else:
                await self._stream(body, reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, RuntimeError):
            pass  # the gateway hung up (uvloop calls that a RuntimeError)
        writer.close()

    async def _stream(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._awake()
        writer.write(HEAD % (b"200 OK", b"text/event-stream", b""))
        for n in range(self.chunks):
            await self._awake()
            writer.write(_event({"choices": [_choice({"content": f"{n} "})]}))
            await writer.drain()
            await asyncio.sleep(self.interval_s)
        usage = usage_of(body, self.chunks)
        await self._awake()
        if reader.at_eof() or writer.is_closing():
            return  # nobody hears it, so nobody is charged
        print(body.get("user"), usage["prompt_tokens"], usage["completion_tokens"], file=self.ledger, flush=True)
        writer.write(
            _event({"choices": [_choice({}, "stop")]}) + _event({"choices": [], "usage": usage}) + b"data: [DONE]\n\n"
        )

    async def _awake(self) -> None:
        while self._is("stall"):  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(LOOK_S)

    def _is(self, mode: str) -> bool:
        return self.mode.exists() and self.mode.read_text() == mode


def usage_of(body: dict[str, Any], chunks: int) -> dict[str, int]:
    """Return what an answer is charged: as many prompt tokens as the question has characters."""
    prompt = len(body["messages"][-1]["content"])
    return {"prompt_tokens": prompt, "completion_tokens": chunks, "total_tokens": prompt + chunks}


def _choice(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", **body}).encode() + b"\n\n"


async def _serve(options: argparse.Namespace) -> None:
    with options.ledger.open("a") as ledger:
        upstream = Upstream(options.chunks, options.interval_ms / 1000, options.mode, ledger)
        server = await asyncio.start_server(upstream.answer, "127.0.0.1", options.port, backlog=4096)
        async with server:
            await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--chunks", type=int, default=10)
    parser.add_argument("--interval-ms", type=float, default=500)
    parser.add_argument("--mode", type=Path, required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
