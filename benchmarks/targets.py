"""What is measured: the upstream itself, nginx before it, and the gateway before it, as users run it.

The gateway is started anew for each of its uses, so that none has in memory what only another needs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from load import PLACEHOLDER
from rig import ROOT
from servers import CHAT_PATH, Server, await_answer, cores, free_port, running

from gateway.signals.encoder import EncoderError, open_encoder
from routers.registry import build_router
from routers.types import Outcomes

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from numpy.typing import NDArray
    from scenarios import Kind

    from gateway.signals.encoder import Encoder

MODELS = ("mock-model", "other-model")
KEY = "key-of-the-benchmark"
SERVE = (sys.executable, "-m", "gateway", "serve")
#: A model of the other upstream, which takes its time.
SLOW_MODEL = "slow-model"
#: Rows that the router of `auto` has learned.
LEARNED_ROWS = 10_000
#: Words of each of them: as many as the turn that is embedded has, about.
PASSAGE_WORDS = 25
AUTO_ROUTER = {
    "type": "estimating",
    "estimator": {"type": "knn", "neighbours": 40},
    "rule": {"type": "greedy", "floor": 0.02},
}
WORDS = "please explain why the following lines of a log differ and which of them came first on that machine "
#: Characters of the system message, and of the last user turn: the part that is embedded.
SYSTEM_CHARACTERS, TURN_CHARACTERS = 700, 160
#: Characters of the system message in longer prompts.
LONGER: dict[Kind, int] = {"long": 32_000, "huge": 1_000_000}

NGINX = """\
{user}worker_processes 1; daemon off; pid nginx.pid; error_log stderr;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000; client_body_buffer_size 128k;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 1024; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A way to the upstream, and how it is measured. `server` is None for the direct one.

    With `varies`, no prompt is sent twice; that takes our own load generator, and a direct connection measured
    with the same is what latency is compared with. With `is_fast`, varied prompts are sent over as many connections
    as others. `beside` is what the same server is asked at the same time.
    """

    name: str
    label: str
    port: int
    model: str = MODELS[0]
    server: Server | None = None
    headers: tuple[tuple[str, str], ...] = ()
    kinds: frozenset[Kind] = frozenset()
    path: str = CHAT_PATH
    varies: bool = False
    is_fast: bool = False
    beside: Target | None = None
    #: Processes that answer; each has as many connections as one that is alone.
    processes: int = 1
    #: Seconds from its start to its first answer.
    start_s: float = 0.0
    #: Seconds of processor time that this took.
    start_cpu_s: float = 0.0
    #: Memory before anything was asked of it.
    idle_mb: float = 0.0

    def body(self, kind: Kind) -> bytes:
        """Return a request: of about 1 KB, 32 KB (`long`) or 1 MB (`huge`)."""
        turn = f"{PLACEHOLDER.decode()} {text(TURN_CHARACTERS)}" if self.varies else text(TURN_CHARACTERS)
        messages = [
            {"role": "system", "content": text(LONGER.get(kind, SYSTEM_CHARACTERS))},
            {"role": "user", "content": turn},
        ]
        asked = {"temperature": 0.2, "max_tokens": 256, "stream": kind == "streams"}
        return json.dumps({"model": self.model, "messages": messages, **asked}, separators=(",", ":")).encode()


def text(characters: int) -> str:
    """Return a text of that length."""
    return (WORDS * (characters // len(WORDS) + 1))[:characters]


def open_direct(port: int) -> list[Target]:
    """Return the upstream itself, for fixed and for varied prompts."""
    latency: frozenset[Kind] = frozenset({"latency"})
    return [
        Target("direct", "direct", port, kinds=latency | {"requests", "streams"}),
        Target("direct-varied", "direct, varied prompts", port, kinds=latency, varies=True),
    ]


def open_nginx(stack: ExitStack, program: str, upstream: int, folder: Path, core: int) -> list[Target]:
    """Start nginx with a configuration of our own. Raises `DidNotStart`."""
    folder.mkdir()
    port = free_port()
    # Started by root, nginx works as another user, who may not enter the folder.
    user = "user root; " if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(user=user, upstream=upstream, port=port))
    command = (program, "-p", f"{folder}/", "-c", f"{folder}/nginx.conf")
    server = stack.enter_context(running(command, core, folder / "log", folder))
    kinds: frozenset[Kind] = frozenset({"requests", "streams", "long", "huge"})
    target = Target("nginx", "nginx", port, server=server, kinds=kinds)
    await_answer(server, port, target.body("requests"), {})
    return [target]


@dataclass(frozen=True, slots=True)
class Opening:
    """Starts the gateway on a core: keys asked for, decisions logged to disk, metrics kept."""

    stack: ExitStack
    upstream: int
    slow_upstream: int
    folder: Path
    core: int

    def plain(self) -> list[Target]:
        """Return it as it is without an encoder."""
        kinds: frozenset[Kind] = frozenset({"requests", "latency", "streams", "long", "huge", "overload"})
        gateway = self._serve("gateway", "pointsman, a model by its name", kinds)
        only: frozenset[Kind] = frozenset({"requests"})
        label = "pointsman, policy `random`"
        return [gateway, replace(gateway, name="random", label=label, model="random", kinds=only)]

    def workers(self) -> list[Target]:
        """Return it with two workers, each with a core if there are two: what is compared is what a request costs.

        The second core is that of the load, which takes time from a worker but does not add to what it took.
        """
        if "--workers" not in _help():
            print("workers: this gateway has no option --workers")
            return []
        kinds: frozenset[Kind] = frozenset({"requests"})
        where = (self.core, cores().load)
        served = self._serve("workers", "pointsman, two workers", kinds, "--workers", "2", where=where)
        return [replace(served, processes=2)]

    def encoding(self, encoder: str) -> list[Target]:
        """Return it with a policy that embeds each prompt: `static` or `minilm`."""
        try:
            write_policies(self.folder / encoder, encoder)
        except EncoderError as error:
            print(f"{encoder}: {error}")
            return []
        beside: frozenset[Kind] = frozenset({"latency", "beside"})
        named = self._serve(f"{encoder}-named", f"pointsman with `{encoder}`, a model by its name", beside)
        label = f"pointsman, policy `auto` (`{encoder}`, kNN over {LEARNED_ROWS:,} rows)"
        kinds: frozenset[Kind] = frozenset({"requests", "latency"})
        fast = encoder == "static"
        auto = replace(named, name=encoder, label=label, model="auto", kinds=kinds, varies=True, is_fast=fast)
        return [replace(named, beside=auto), auto]

    def _serve(
        self, name: str, label: str, kinds: frozenset[Kind], *options: str, where: tuple[int, ...] = ()
    ) -> Target:
        folder = self.folder / name.removesuffix("-named")
        folder.mkdir(parents=True, exist_ok=True)
        encoder = folder.name if (folder / "auto.yaml").exists() else None
        (folder / "gateway.yaml").write_text(json.dumps(gateway_config(self.upstream, self.slow_upstream, encoder)))
        (folder / "random.yaml").write_text(json.dumps({"name": "random", "router": {"type": "random"}}))
        port = free_port()
        command = (*SERVE, "-c", f"{folder}/gateway.yaml", "--port", str(port), "--log-level", "warning", *options)
        server = self.stack.enter_context(running(command, where or (self.core,), folder / "log", ROOT))
        target = Target(name, label, port, MODELS[0], server, (("authorization", f"Bearer {KEY}"),), kinds)
        started_s = await_answer(server, port, target.body("requests"), dict(target.headers))
        cpu_s = server.cpu_s()
        return replace(target, start_s=started_s, start_cpu_s=cpu_s, idle_mb=server.memory_mb())


def _help() -> str:
    return subprocess.run([*SERVE, "--help"], capture_output=True, text=True, cwd=ROOT, check=True).stdout


def gateway_config(upstream: int, slow_upstream: int, encoder: str | None) -> dict[str, Any]:
    """Return the gateway's configuration; JSON is YAML."""
    # Another name than the client's, so that it is replaced in each request.
    model = {"name": "upstream-model", "price": {"input": 1, "output": 2}, "context_window": 1_000_000}
    vendor = {"vendor": "openai-compatible"}
    ports = {"mock": upstream, "slow": slow_upstream}
    # Under saturation every prompt is to be embedded, however long it waits.
    signals = {"deadline_ms": 10_000, "embedding": {"model": encoder}} if encoder else {}
    return {
        "server": {"api_keys": [KEY]},
        "providers": {name: {**vendor, "base_url": f"http://127.0.0.1:{port}/v1"} for name, port in ports.items()},
        "models": {
            **{name: {**model, "provider": "mock"} for name in MODELS},
            SLOW_MODEL: {**model, "provider": "slow"},
        },
        "signals": signals,
        "store": {"path": "log.db"},
        "policies": ["random.yaml", *(["auto.yaml"] if encoder else [])],
    }


def write_policies(folder: Path, encoder: str) -> None:
    """Write the policy `auto`, with something learned. Raises `EncoderError`."""
    opened = open_encoder(encoder)
    folder.mkdir(parents=True)
    (folder / "auto.yaml").write_text(json.dumps({"name": "auto", "pool": list(MODELS), "router": AUTO_ROUTER}))
    router = build_router(AUTO_ROUTER)
    router.learn(random_outcomes(learned(opened)))
    router.save(folder / "state" / "auto", encoder=opened.digest)


def learned(encoder: Encoder) -> NDArray[np.float32]:
    """Return the embeddings of what was learned from `[rows, d]`: passages of this project's documents.

    An encoder that needs minutes for them embeds a few, and most rows lie between two of these: a search takes as long
    as among passages (0.55 ms, those 0.50), and among random vectors, which lie in all directions alike, twice that.
    """
    numbers = np.random.default_rng(0)
    words = " ".join(page.read_text() for page in sorted((ROOT / "docs").rglob("*.md"))).split()
    embedded = LEARNED_ROWS if encoder.name == "static" else LEARNED_ROWS // 16
    starts = numbers.integers(0, len(words) - PASSAGE_WORDS, embedded)
    vectors = encoder.encode([" ".join(words[start : start + PASSAGE_WORDS]) for start in starts])
    return vectors if embedded == LEARNED_ROWS else _between(vectors, numbers)


def _between(vectors: NDArray[np.float32], numbers: np.random.Generator) -> NDArray[np.float32]:
    """Return `[LEARNED_ROWS, d]` unit vectors, each somewhere between two of `[n, d]`."""
    one, other = numbers.integers(0, len(vectors), (2, LEARNED_ROWS))
    share = numbers.random((LEARNED_ROWS, 1), np.float32)
    mixed = share * vectors[one] + (1 - share) * vectors[other]
    return mixed / np.linalg.norm(mixed, axis=1, keepdims=True)


def random_outcomes(embeddings: NDArray[np.float32]) -> Outcomes:
    """Return a table of random outcomes: which they are changes the choice, not the time that it takes."""
    numbers = np.random.default_rng(0)
    cells = (len(embeddings), len(MODELS))
    return Outcomes(
        models=MODELS,
        embeddings=embeddings,
        rewards=numbers.random(cells, np.float32),
        costs_usd=numbers.random(cells, np.float32) / 100,
        completion_tokens=numbers.random(cells, np.float32) * 500,
    )
