"""A real HTTP server that plays endpoints: each model name has a behaviour, good or bad."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.wire import stop_accepting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

WORDS = ["Hello", " from", " a", " real", " server", "."]
USAGE = {"prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18, "prompt_tokens_details": {"cached_tokens": 4}}


def completion(model: str, content: str | None = None, **message: Any) -> dict[str, Any]:
    """Return a whole answer."""
    text = "".join(WORDS) if content is None else content
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, **message},
        "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
        "logprobs": None,
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [choice],
        "usage": USAGE,
    }


def chunk(model: str, delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """Return one event of a stream."""
    choices = [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model}
    return b"data: " + json.dumps({**body, "choices": choices, **more}).encode() + b"\n\n"


@dataclass
class Upstream:
    """The server, and what it has seen."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    #: Streams that their reader left before the end.
    left: int = 0
    #: What it has charged for: the usage of every answer that it was told to count so.
    billed: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    #: Seconds between the events of a slow stream.
    pause_s: float = 0.05

    async def chat(self, request: Request) -> Response:
        raw = await request.body()
        body = json.loads(raw)
        model = body["model"]
        self.raw.append(raw)
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        self.calls[model] += 1
        behaviour = BEHAVIOURS.get(model.partition("+")[0], type(self).answer)
        return await behaviour(self, body)

    async def answer(self, body: dict[str, Any]) -> Response:
        if body.get("stream"):
            return StreamingResponse(self._stream(body, pause_s=0), media_type="text/event-stream")
        if body.get("tools"):
            call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
            return JSONResponse(completion(body["model"], tool_calls=[call]))
        return JSONResponse(completion(body["model"]), headers={"openai-processing-ms": "7", "x-secret": "hidden"})

    async def slow(self, body: dict[str, Any]) -> Response:
        if body.get("stream"):
            return StreamingResponse(self._stream(body, self.pause_s, times=200), media_type="text/event-stream")
        await asyncio.sleep(self.pause_s * 20)
        return JSONResponse(completion(body["model"]))

    async def breaks(self, body: dict[str, Any]) -> Response:
        async def events() -> AsyncIterator[bytes]:
            yield chunk(body["model"], {"role": "assistant", "content": "Hel"})
            yield chunk(body["model"], {"content": "lo"})

        return StreamingResponse(events(), media_type="text/event-stream")

    async def in_band(self, _: dict[str, Any]) -> Response:
        async def events() -> AsyncIterator[bytes]:
            yield b'data: {"error": {"message": "the model crashed", "type": "server_error", "code": null}}\n\n'

        return StreamingResponse(events(), media_type="text/event-stream")

    async def silent(self, body: dict[str, Any]) -> Response:
        async def events() -> AsyncIterator[bytes]:
            yield chunk(body["model"], {"role": "assistant", "content": "Hel"})
            await asyncio.sleep(30)

        return StreamingResponse(events(), media_type="text/event-stream")

    async def no_images(self, _: dict[str, Any]) -> Response:
        """Refuse as llama.cpp does where a model has no eyes."""
        said = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
        return JSONResponse({"error": {"code": 500, "message": said, "type": "server_error"}}, 500)

    async def whole(self, body: dict[str, Any]) -> Response:
        """Never stream."""
        return await self.answer({**body, "stream": False})

    async def keyed(self, body: dict[str, Any]) -> Response:
        """Answer as the key says: `status-429` gets that status, any other an answer."""
        key = self.headers[-1].get("authorization", "").removeprefix("Bearer ")
        kind, _, status = key.partition("-")
        return await (self.status({"model": f"+{status}"}) if kind == "status" else self.answer(body))

    async def only_done(self, _: dict[str, Any]) -> Response:
        return Response(b"data: [DONE]\n\n", media_type="text/event-stream")

    async def mute(self, _: dict[str, Any]) -> Response:
        async def events() -> AsyncIterator[bytes]:
            await asyncio.sleep(5)
            yield b""

        return StreamingResponse(events(), media_type="text/event-stream")

    async def status(self, body: dict[str, Any]) -> Response:
        """`status+429`: fail with that status."""
        status = int(body["model"].partition("+")[2].partition("-")[0])
        code = "insufficient_quota" if body["model"].endswith("quota") else "upstream_code"
        error = {"message": f"upstream says {status}", "type": "upstream_type", "param": None, "code": code}
        return JSONResponse({"error": error}, status, headers={"retry-after": "2"} if status in (429, 503) else {})

    async def too_long(self, _: dict[str, Any]) -> Response:
        error = {
            "message": "This model's maximum context length is 10 tokens.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        }
        return JSONResponse({"error": error}, 400)

    async def garbage(self, _: dict[str, Any]) -> Response:
        return Response(b"<html>not an answer</html>", media_type="text/html")

    async def no_usage(self, body: dict[str, Any]) -> Response:
        answer = completion(body["model"])
        del answer["usage"]
        return JSONResponse(answer)

    async def counts(self, body: dict[str, Any]) -> Response:
        """Answer with the usage that the request says under `play`."""
        usage = body["play"]
        self.billed.append(usage)
        if not body.get("stream"):
            return JSONResponse(completion(body["model"]) | {"usage": usage})
        last = json.loads(chunk(body["model"], {})[6:]) | {"choices": [], "usage": usage}
        events = [chunk(body["model"], {"content": "Hi"}), chunk(body["model"], {}, "stop")]
        wire = b"".join(events) + b"data: " + json.dumps(last).encode() + b"\n\ndata: [DONE]\n\n"
        return Response(wire, media_type="text/event-stream")

    async def _stream(self, body: dict[str, Any], pause_s: float, times: int = 1) -> AsyncIterator[bytes]:
        model = body["model"]
        asks = (body.get("stream_options") or {}).get("include_usage")
        more = {"usage": None} if asks else {}
        finished = False
        try:
            for word in WORDS * times:
                yield chunk(model, {"content": word}, **more)
                if pause_s:
                    await asyncio.sleep(pause_s)
            yield chunk(model, {}, "stop", **more)
            if asks:
                usage = json.loads(chunk(model, {})[6:]) | {"choices": [], "usage": USAGE}
                yield b"data: " + json.dumps(usage).encode() + b"\n\n"
            yield b"data: [DONE]\n\n"
            finished = True
        finally:
            self.left += not finished


BEHAVIOURS = {
    "slow": Upstream.slow,
    "breaks": Upstream.breaks,
    "in-band": Upstream.in_band,
    "silent": Upstream.silent,
    "mute": Upstream.mute,
    "whole": Upstream.whole,
    "no-images": Upstream.no_images,
    "only-done": Upstream.only_done,
    "keyed": Upstream.keyed,
    "status": Upstream.status,
    "too-long": Upstream.too_long,
    "garbage": Upstream.garbage,
    "no-usage": Upstream.no_usage,
    "counts": Upstream.counts,
}


class _Server(uvicorn.Server):
    """A server that loses no connection while it stops."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            await stop_accepting(server)
        await super().shutdown(sockets)


@contextlib.contextmanager
def running(app: Any, http: Any = "auto") -> Any:
    """Serve an ASGI application on a free port, in a thread, by one of uvicorn's protocols; yield its address."""
    # With the protocol named, asyncio turns Nagle's algorithm off; without, every answer would wait for it.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, http=http, log_config=None, access_log=False, timeout_graceful_shutdown=2, ws="none"
        )
        server = _Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
            thread.join(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(15)


@contextlib.contextmanager
def upstream() -> Any:
    """Serve an `Upstream`."""
    played = Upstream()
    app = Starlette(routes=[Route("/v1/chat/completions", played.chat, methods=["POST"])])
    with running(app) as url:
        played.url = f"{url}/v1"
        yield played
