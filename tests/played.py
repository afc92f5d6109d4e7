"""A real HTTP server whose models answer as a test says, whole or as a stream."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.upstream import USAGE, chunk, completion, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

#: What a model answers to a body: a text, members of a choice (`message`, `finish_reason`), or a status.
Line = str | dict[str, Any] | int


@dataclass
class Played:
    """The server: `plays` says what each model answers; a model that it does not have says hello."""

    plays: dict[str, Callable[[dict[str, Any]], Line]] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def asked(self, model: str) -> list[dict[str, Any]]:
        """Return what a model was asked."""
        return [body for body in self.requests if body["model"] == model]

    def sections(self, *models: str, price: Any = None) -> dict[str, Any]:
        """Return the sections of a configuration whose models are played here."""
        price = price or {"input": 1, "output": 2}
        return {
            "providers": {"up": {"vendor": "openai-compatible", "base_url": self.url, "api_key": "k"}},
            "models": {model: {"provider": "up", "price": price} for model in models},
        }

    async def chat(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.requests.append(body)
        line = await asyncio.to_thread(self.plays.get(body["model"], lambda _: "Hello."), body)  # it may sleep
        if isinstance(line, int):
            return JSONResponse({"error": {"message": "played", "type": "t", "code": "c"}}, line)
        choice = {"message": {"content": line}} if isinstance(line, str) else line
        choices = [{"finish_reason": "stop", **choice, "index": index} for index in range(body.get("n") or 1)]
        if "each" in choice:
            choices = [{"finish_reason": "stop", **one, "index": n} for n, one in enumerate(choice["each"])]
        if body.get("stream"):
            return StreamingResponse(iter(_events(body, choices)), media_type="text/event-stream")
        whole = completion(body["model"])
        whole["choices"] = [
            {**one, "message": {"role": "assistant", "content": None, **one["message"]}} for one in choices
        ]
        return JSONResponse(whole)


def _events(body: dict[str, Any], choices: list[dict[str, Any]]) -> Iterator[bytes]:
    for one in choices:
        for delta in _deltas(one["message"]):
            yield _chunk(body, one["index"], delta, None)
        yield _chunk(body, one["index"], {}, one["finish_reason"])
    usage = json.loads(chunk(body["model"], {})[6:]) | {"choices": [], "usage": USAGE}
    yield b"data: " + json.dumps(usage).encode() + b"\n\ndata: [DONE]\n\n"


def _deltas(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    text = message.get("content") or ""
    yield {"role": "assistant", "content": ""}
    yield from ({"content": text[at : at + 7]} for at in range(0, len(text), 7))
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        yield {"tool_calls": [{**call, "index": index, "function": {"name": function["name"], "arguments": ""}}]}
        for piece in (function["arguments"][:3], function["arguments"][3:]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
    if message.get("refusal"):
        yield {"refusal": message["refusal"]}


def _chunk(body: dict[str, Any], index: int, delta: dict[str, Any], finish: str | None) -> bytes:
    event = json.loads(chunk(body["model"], delta, finish)[6:])
    event["choices"][0]["index"] = index
    return b"data: " + json.dumps(event).encode() + b"\n\n"


@contextlib.contextmanager
def playing() -> Iterator[Played]:
    """Serve a `Played`."""
    played = Played()
    app = Starlette(routes=[Route("/v1/chat/completions", played.chat, methods=["POST"])])
    with running(app) as url:
        played.url = f"{url}/v1"
        yield played
