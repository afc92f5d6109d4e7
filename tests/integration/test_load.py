"""Many clients at once, while a backend dies and comes back."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from typing import Any

import httpx2
import pytest
import yaml
from openai import AsyncOpenAI

from tests.processes import logged, started
from tests.upstream import USAGE, WORDS, chunk, completion
from tests.wire import stop_accepting

CLIENTS = 64
TEXT = "".join(WORDS)
ASK = {"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}
#: Seconds that a backend takes to answer: most requests are under way when it is killed.
THINKING_S = 0.15


class Backend:
    """A server that can be killed: it stops listening, and drops its connections in the middle of whatever they do."""

    def __init__(self) -> None:
        self.port = 0
        self.answered = 0
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen; the second time on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def kill(self) -> int:
        """Stop, and return how many connections were dropped."""
        assert self._server is not None
        await stop_accepting(self._server)
        self._server.close()
        for writer in self._open.values():
            writer.transport.abort()
        return len(self._open)

    async def ended(self) -> None:
        """Wait until nobody is served any more."""
        await asyncio.gather(*self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                await asyncio.sleep(THINKING_S)
                writer.write(answer(body))
                await writer.drain()
                self.answered += 1
        writer.close()
        del self._open[task]


def answer(body: dict[str, Any]) -> bytes:
    """Return a whole response in one piece: a stream is either not begun or complete when its backend is killed."""
    if not body.get("stream"):
        kind, content = b"application/json", json.dumps(completion(body["model"])).encode()
    else:
        usage = json.loads(chunk(body["model"], {})[6:]) | {"choices": [], "usage": USAGE}
        last = b"data: " + json.dumps(usage).encode() + b"\n\ndata: [DONE]\n\n"
        words = b"".join(chunk(body["model"], {"content": word}) for word in WORDS)
        kind, content = b"text/event-stream", words + chunk(body["model"], {}, "stop") + last
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (kind, len(content))
    return head + content


@pytest.fixture
async def backends():
    both = Backend(), Backend()
    for backend in both:
        await backend.start()
    yield both
    for backend in both:
        await backend.kill()
        await backend.ended()


def write_config(folder, backends):
    """Write a configuration with a model on each backend, and a policy that takes either."""
    names = ("one", "two")
    urls = {name: f"http://127.0.0.1:{backend.port}/v1" for name, backend in zip(names, backends, strict=True)}
    config = {
        "providers": {
            name: {"vendor": "openai-compatible", "base_url": url, "api_key": "k"} for name, url in urls.items()
        },
        "models": {name: {"provider": name, "price": {"input": 1, "output": 2}} for name in names},
        "store": {"path": "log.db"},
        "policies": ["auto.yaml"],
    }
    (folder / "auto.yaml").write_text(yaml.safe_dump({"name": "auto", "router": {"type": "random"}}))
    (folder / "gateway.yaml").write_text(yaml.safe_dump(config))
    return folder / "gateway.yaml"


async def converse(client: AsyncOpenAI, n: int, answers: list[str], enough: asyncio.Event) -> None:
    """Ask until there is enough, every other time for a stream."""
    while not enough.is_set():
        n += 1
        if n % 2:
            whole = await client.chat.completions.create(**ASK)
            answers.append(whole.choices[0].message.content or "")
        else:
            stream = await client.chat.completions.create(**ASK, stream=True)
            answers.append("".join([piece.choices[0].delta.content or "" async for piece in stream]))


async def until(condition) -> None:
    """Wait for what happens on this event loop."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the conditions are counts, which have no event
            await asyncio.sleep(0.01)


async def test_a_killed_backend_fails_no_request(tmp_path, backends):
    """64 clients, mixed streaming, no retries: all are answered while one lives, and each leaves one of each event."""
    one, _ = backends
    answers: list[str] = []
    enough = asyncio.Event()
    with started(write_config(tmp_path, backends)) as process:
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(limits=limits, timeout=20) as shared, asyncio.TaskGroup() as clients:
            for n in range(CLIENTS):
                client = AsyncOpenAI(base_url=f"{process.url}/v1", api_key="none", max_retries=0, http_client=shared)
                clients.create_task(converse(client, n, answers, enough))
            await until(lambda: len(answers) >= 200)
            dropped = await one.kill()
            before, alone = one.answered, len(answers)
            await until(lambda: len(answers) >= alone + 200)
            await one.start()
            await until(lambda: one.answered > before)
            enough.set()
        process.popen.terminate()
        assert 0 == process.ended()

    assert dropped > 0
    assert Counter({TEXT: len(answers)}) == Counter(answers)
    log = logged(tmp_path)
    assert len(answers) == len(log) == len({entry.decision.id for entry in log})
    assert {(200, None)} == {(entry.outcome.status, entry.outcome.error) for entry in log}
    assert {entry.outcome.cost_usd for entry in log} == {log[0].outcome.cost_usd}
    failed = [entry for entry in log if len(entry.outcome.attempts) > 1]
    assert failed
    paths = {tuple(attempt.model for attempt in entry.outcome.attempts) for entry in failed}
    # A connection that was cut is tried once more in the same place.
    assert {("one", "two"), ("one", "one", "two"), ("one", "one")} >= paths
