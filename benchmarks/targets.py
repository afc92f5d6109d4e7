"""What is measured: the upstream itself, nginx before it, and the gateway before it, as users run it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from load import PLACEHOLDER
from rig import ROOT
from servers import Server, await_answer, free_port, running

from gateway.signals.encoder import EncoderError, open_encoder
from routers.registry import build_router
from routers.types import Outcomes

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

MODELS = ("mock-model", "other-model")
KEY = "key-of-the-benchmark"
#: Rows that the router of `auto` has learned.
LEARNED_ROWS = 2000
AUTO_ROUTER = {
    "type": "estimating",
    "estimator": {"type": "knn", "neighbours": 40},
    "rule": {"type": "greedy", "floor": 0.02},
}
WORDS = "please explain why the following lines of a log differ and which of them came first on that machine "
#: Characters of the system message, and of the last user turn: the part that is embedded.
SYSTEM_CHARACTERS, TURN_CHARACTERS = 700, 160

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
    """A way to the upstream. `server` is None for the direct one.

    With `varies`, no prompt is sent twice; that takes our own load generator, and a direct connection measured
    with the same is what latency is compared with.
    """

    name: str
    label: str
    port: int
    model: str = MODELS[0]
    server: Server | None = None
    headers: tuple[tuple[str, str], ...] = ()
    varies: bool = False

    def body(self, *, stream: bool) -> bytes:
        """Return a request of about 1 KB."""
        turn = f"{PLACEHOLDER.decode()} {text(TURN_CHARACTERS)}" if self.varies else text(TURN_CHARACTERS)
        messages = [
            {"role": "system", "content": text(SYSTEM_CHARACTERS)},
            {"role": "user", "content": turn},
        ]
        body = {"model": self.model, "messages": messages, "temperature": 0.2, "max_tokens": 256, "stream": stream}
        return json.dumps(body, separators=(",", ":")).encode()


def text(characters: int) -> str:
    """Return a text of that length."""
    return (WORDS * (characters // len(WORDS) + 1))[:characters]


def open_direct(port: int) -> list[Target]:
    """Return the upstream itself, for fixed and for varied prompts."""
    return [Target("direct", "direct", port), Target("direct-varied", "direct, varied prompts", port, varies=True)]


def open_nginx(stack: ExitStack, program: str, upstream: int, folder: Path, core: int) -> list[Target]:
    """Start nginx with a configuration of our own. Raises `DidNotStart`."""
    folder.mkdir()
    port = free_port()
    # Started by root, nginx works as another user, who may not enter the folder.
    user = "user root; " if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(user=user, upstream=upstream, port=port))
    command = (program, "-p", f"{folder}/", "-c", f"{folder}/nginx.conf")
    server = stack.enter_context(running(command, core, folder / "log", folder))
    target = Target("nginx", "nginx", port, server=server)
    await_answer(server, port, target.body(stream=False), {})
    return [target]


def open_gateway(stack: ExitStack, upstream: int, folder: Path, core: int) -> list[Target]:
    """Start the gateway: keys asked for, decisions logged to disk, metrics kept. Raises `DidNotStart`."""
    folder.mkdir()
    learned = write_policies(folder)
    (folder / "gateway.yaml").write_text(json.dumps(gateway_config(upstream, auto=learned)))
    port = free_port()
    command = (sys.executable, "-m", "gateway", "serve", "-c", f"{folder}/gateway.yaml", "--port", str(port))
    server = stack.enter_context(running((*command, "--log-level", "warning"), core, folder / "log", ROOT))
    headers = (("authorization", f"Bearer {KEY}"),)
    targets = [
        Target("gateway", "pointsman, a model by its name", port, MODELS[0], server, headers),
        Target("random", "pointsman, policy `random`", port, "random", server, headers),
    ]
    if learned:
        label = "pointsman, policy `auto` (kNN; each prompt embedded)"
        targets.append(Target("auto", label, port, "auto", server, headers, varies=True))
    await_answer(server, port, targets[0].body(stream=False), dict(headers))
    return targets


def gateway_config(upstream: int, *, auto: bool) -> dict[str, object]:
    """Return the gateway's configuration; JSON is YAML."""
    # Another name than the client's, so that it is replaced in each request.
    model = {
        "provider": "mock",
        "name": "upstream-model",
        "price": {"input": 1, "output": 2},
        "context_window": 128_000,
    }
    return {
        "server": {"api_keys": [KEY]},
        "providers": {"mock": {"vendor": "openai-compatible", "base_url": f"http://127.0.0.1:{upstream}/v1"}},
        "models": dict.fromkeys(MODELS, model),
        # Under saturation every prompt is to be embedded, however long it waits.
        "signals": {"deadline_ms": 10_000},
        "store": {"path": "log.db"},
        "policies": ["random.yaml", *(["auto.yaml"] if auto else [])],
    }


def write_policies(folder: Path) -> bool:
    """Write the policies, `auto` with something learned; return whether it is there, which takes the encoder."""
    (folder / "random.yaml").write_text(json.dumps({"name": "random", "router": {"type": "random"}}))
    (folder / "auto.yaml").write_text(json.dumps({"name": "auto", "router": AUTO_ROUTER}))
    try:
        encoder = open_encoder("minilm")
    except EncoderError as error:
        print(f"`auto` is left out: {error}")
        return False
    router = build_router(AUTO_ROUTER)
    router.learn(random_outcomes(LEARNED_ROWS, encoder.dimension))
    router.save(folder / "state" / "auto", encoder=encoder.digest)
    return True


def random_outcomes(rows: int, dimension: int) -> Outcomes:
    """Return a table of random outcomes: what was learned changes the choice, not the time that it takes."""
    numbers = np.random.default_rng(0)
    vectors = numbers.standard_normal((rows, dimension), np.float32)
    cells = (rows, len(MODELS))
    return Outcomes(
        models=MODELS,
        embeddings=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        rewards=numbers.random(cells, np.float32),
        costs_usd=numbers.random(cells, np.float32) / 100,
        completion_tokens=numbers.random(cells, np.float32) * 500,
    )
