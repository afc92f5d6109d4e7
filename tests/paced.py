"""A real HTTP server whose models take their time, as a test says, and see when nobody waits for them any more."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.upstream import USAGE, chunk, completion, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request

#: How often it is looked whether a client is still there that waits for a whole answer.
LOOK_S = 0.02
#: How long it takes at most until a test sees what it waits for.
PATIENCE_S = 20.0


@dataclass
class Paced:
    """The server: seconds until each model begins to answer (none: at once), and the status of those that fail."""

    seconds: dict[str, float] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    #: Requests by model, and those that their client left before they were answered.
    asked: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def clear(self) -> None:
        """Forget everything."""
        for one in (self.seconds, self.statuses, self.asked, self.left):
            one.clear()

    def sections(self, *models: str, price: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the sections of a configuration whose models are here, each at an endpoint of its own."""
        endpoint = {"vendor": "openai-compatible", "base_url": self.url, "api_key": "k"}
        priced = {"price": {"input": 1, "output": 2} if price is None else price}
        return {
            "providers": {f"at-{model}": endpoint for model in models},
            "models": {model: {"provider": f"at-{model}", **priced} for model in models},
        }

    def seen_leaving(self, model: str) -> bool:
        """Wait until a client of this model has left; tell whether one has."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.left[model] and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        return bool(self.left[model])

    async def chat(self, request: Request) -> Response:
        body = json.loads(await request.body())
        model = body["model"]
        self.asked[model] += 1
        if body.get("stream") and model not in self.statuses:
            return StreamingResponse(self._events(model), media_type="text/event-stream")
        deadline = time.monotonic() + self.seconds.get(model, 0.0)
        while (left_s := deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(LOOK_S, left_s))
            if await request.is_disconnected():
                self.left[model] += 1
                break
        if model in self.statuses:
            error = {"message": f"{model} is out of order", "type": "t", "code": "c"}
            headers = {"retry-after": "60"} if self.statuses[model] == 429 else {}
            return JSONResponse({"error": error}, self.statuses[model], headers)
        return JSONResponse(completion(model, f"I am {model}."))

    async def _events(self, model: str) -> AsyncIterator[bytes]:
        begun = False
        try:
            if seconds := self.seconds.get(model, 0.0):
                await asyncio.sleep(seconds)
            begun = True
            for word in ("I ", "am ", model, "."):
                yield chunk(model, {"content": word})
                await asyncio.sleep(0)
            yield chunk(model, {}, "stop")
            usage = json.loads(chunk(model, {})[6:]) | {"choices": [], "usage": USAGE}
            yield b"data: " + json.dumps(usage).encode() + b"\n\ndata: [DONE]\n\n"
        finally:
            self.left[model] += not begun


@contextlib.contextmanager
def pacing() -> Iterator[Paced]:
    """Serve a `Paced`."""
    paced = Paced()
    app = Starlette(routes=[Route("/v1/chat/completions", paced.chat, methods=["POST"])])
    with running(app) as url:
        paced.url = f"{url}/v1"
        yield paced
