"""Other gateways, measured beside this one where they are installed: what starts each, and how it is asked.

Each is given what its documentation asks for to pass requests on to one endpoint of OpenAI's dialect, with one process
or thread, no telemetry, and no log of requests. They are looked for in the folders of the environment variable
`PEERS_DIR` (a virtual environment or an npm folder each), and then on PATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from servers import CHAT_PATH, DidNotStart, Server, await_answer, free_port, running
from targets import MODELS, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import ExitStack

    from scenarios import Kind

MODEL = MODELS[0]
KEY = "sk-bench-0123456789"
BEARER = (("authorization", f"Bearer {KEY}"),)
ENVOY_TYPES = "type.googleapis.com/envoy.extensions.filters"
#: Serves the gateway that the package `tensorzero` carries, which chooses its port itself, and writes where.
TENSORZERO = """\
import sys, threading, tensorzero.tensorzero as tz
served = tz._start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False
)
open(sys.argv[2], "w").write(served.base_url)
threading.Event().wait()
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rival is started: its program, its folder, its port, and the upstream's."""

    program: str
    folder: Path
    port: int
    upstream: int

    @property
    def base_url(self) -> str:
        """Return the upstream's address, up to and with `/v1`."""
        return f"http://127.0.0.1:{self.upstream}/v1"

    def write(self, name: str, content: object) -> str:
        """Write a file, as JSON unless it is text; return its path."""
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)


@dataclass(frozen=True, slots=True)
class Rival:
    """A gateway. `program` is its path below PEERS_DIR, `command` returns what starts it."""

    name: str
    program: str
    command: Callable[[Place], tuple[str, ...]]
    headers: Callable[[Place], tuple[tuple[str, str], ...]] = lambda _: ()
    environment: tuple[tuple[str, str], ...] = ()
    model: str = MODEL
    path: str = CHAT_PATH
    #: The file in which it says where it listens, if it chooses that itself.
    said_in: str | None = None
    #: Whether it relays events as they come.
    streams: bool = True


def _envoy(place: Place) -> tuple[str, ...]:
    def at(port: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

    route = {"match": {"prefix": "/"}, "route": {"cluster": "up", "timeout": "60s"}}
    manager = {
        "@type": f"{ENVOY_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{ENVOY_TYPES}.http.router.v3.Router"}}],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": at(place.upstream)}}]}]
    limits = dict.fromkeys(("max_connections", "max_requests", "max_pending_requests"), 10_000)
    cluster = {
        "name": "up",
        "type": "STATIC",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {"cluster_name": "up", "endpoints": endpoints},
    }
    listener = {"address": at(place.port), "filter_chains": [chain]}
    path = place.write("envoy.json", {"static_resources": {"listeners": [listener], "clusters": [cluster]}})
    return (place.program, "-c", path, "--concurrency", "1", "--log-level", "error", "--base-id", str(place.port))


def _vllm_router(place: Place) -> tuple[str, ...]:
    command = (place.program, "--host", "127.0.0.1", "--port", str(place.port), "--policy", "round_robin")
    upstream = ("--worker-urls", f"http://127.0.0.1:{place.upstream}", "--prometheus-port", str(free_port()))
    return (*command, *upstream, "--log-level", "warning")


def _sglang_router(place: Place) -> tuple[str, ...]:
    command = (place.program, "-m", "sglang_router.launch_router", "--host", "127.0.0.1", "--port", str(place.port))
    upstream = ("--worker-urls", f"http://127.0.0.1:{place.upstream}", "--policy", "round_robin")
    return (*command, *upstream, "--prometheus-port", str(free_port()), "--log-level", "error")


def _rolter(place: Place) -> tuple[str, ...]:
    lines = [
        f'[server]\nhost = "127.0.0.1"\nport = {place.port}',
        f'[[providers]]\nname = "mock"\nkind = "openai_compatible"\napi_base = "{place.base_url}"',
        f'[[routes]]\nmodel = "{MODEL}"\nstrategy = "round_robin"',
        f'[[routes.targets]]\nprovider = "mock"\nmodel = "{MODEL}"',
        f'[[virtual_keys]]\nkey = "{KEY}"\nname = "bench"\nmodels = []',
    ]
    return (place.program, "gateway", "-c", place.write("rolter.toml", "\n".join(lines)))


def _tensorzero(place: Place) -> tuple[str, ...]:
    lines = [
        f'[gateway]\nbind_address = "127.0.0.1:{place.port}"\nobservability.enabled = false',
        f'[models.{MODEL}]\nrouting = ["mock"]',
        f'[models.{MODEL}.providers.mock]\ntype = "openai"\nmodel_name = "{MODEL}"',
        f'api_base = "{place.base_url}/"\napi_key_location = "env::MOCK_KEY"',
    ]
    served = place.write("tensorzero.toml", "\n".join(lines)), str(place.folder / "address")
    return (place.program, place.write("serve.py", TENSORZERO), *served)


def _portkey(place: Place) -> tuple[str, ...]:
    return ("node", place.program, f"--port={place.port}", "--headless")


def _portkey_headers(place: Place) -> tuple[tuple[str, str], ...]:
    return (*BEARER, ("x-portkey-provider", "openai"), ("x-portkey-custom-host", place.base_url))


def _litellm(place: Place) -> tuple[str, ...]:
    model = {"model": f"openai/{MODEL}", "api_base": place.base_url, "api_key": KEY}
    config = {
        "model_list": [{"model_name": MODEL, "litellm_params": model}],
        "litellm_settings": {"drop_params": True, "telemetry": False},
        "general_settings": {"master_key": KEY},
    }
    path = place.write("litellm.yaml", config)
    listen = ("--host", "127.0.0.1", "--port", str(place.port), "--num_workers", "1")
    return (place.program, "--config", path, *listen)


RIVALS = (
    Rival("envoy", "envoy/bin/envoy", _envoy),
    Rival("vllm-router", "vllmrouter/bin/vllm-router", _vllm_router),
    Rival("sglang-router", "sglrouter/bin/python", _sglang_router),
    Rival("rolter", "rolter/bin/rolter", _rolter, lambda _: BEARER),
    Rival(
        "tensorzero",
        "tensorzero/bin/python",
        _tensorzero,
        environment=(("MOCK_KEY", KEY),),
        model=f"tensorzero::model_name::{MODEL}",
        path="/chat/completions",
        said_in="address",
    ),
    Rival(
        "portkey",
        "portkey/node_modules/@portkey-ai/gateway/build/start-server.js",
        _portkey,
        _portkey_headers,
        environment=(("NODE_ENV", "production"),),
        streams=False,
    ),
    Rival(
        "litellm",
        "litellm/bin/litellm",
        _litellm,
        lambda _: BEARER,
        environment=(("LITELLM_LOG", "ERROR"), ("LITELLM_LOCAL_MODEL_COST_MAP", "True")),
    ),
)


def find(rival: Rival, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the path of a rival's program, None where it is not installed."""
    path = Path(environment.get("PEERS_DIR", "peers")) / rival.program
    name = path.name
    return str(path) if path.exists() else None if name == "python" else shutil.which(name)


def open_rivals(stack: ExitStack, upstream: int, folder: Path, core: int, only: Collection[str]) -> list[Target]:
    """Start those that are installed, and asked for; say which are missing, and which do not start."""
    targets = []
    for rival in RIVALS:
        if only and rival.name not in only:
            continue
        if (program := find(rival)) is None:
            print(f"{rival.name}: not installed")
            continue
        (folder / rival.name).mkdir(parents=True)
        try:
            targets.append(_start(stack, rival, Place(program, folder / rival.name, free_port(), upstream), core))
        except DidNotStart as error:
            print(f"{rival.name}: did not start: {str(error).strip().splitlines()[-1]}")
    return targets


def _start(stack: ExitStack, rival: Rival, place: Place, core: int) -> Target:
    command, environment = rival.command(place), {**os.environ, **dict(rival.environment)}
    server = stack.enter_context(running(command, core, place.folder / "log", place.folder, environment))
    port, path = place.port, rival.path
    if rival.said_in is not None:
        port, prefix = _said(server, place.folder / rival.said_in)
        path = prefix + path
    kinds: frozenset[Kind] = frozenset({"requests", "long", "huge"})
    streams: frozenset[Kind] = frozenset({"streams"} if rival.streams else set())
    headers = rival.headers(place)
    target = Target(rival.name, rival.name, port, rival.model, server, headers, kinds=kinds | streams, path=path)
    await_answer(server, port, target.body("requests"), dict(headers), path)
    return target


def _said(server: Server, path: Path) -> tuple[int, str]:
    """Return the port and the path that a rival has written down."""
    end = time.monotonic() + 30
    while time.monotonic() < end and server.process.poll() is None:
        if path.exists() and (found := re.match(r"http://[^:/]+:(\d+)(/\S*)?", path.read_text())):
            return int(found[1]), (found[2] or "").rstrip("/")
        time.sleep(0.05)
    raise DidNotStart(f"{server.process.args!r}: it has not said where it listens")
