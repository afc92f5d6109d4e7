"""`pointsman serve`: run the gateway."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from gateway.cli.options import DEFAULT_CONFIG, Config, LogLevel
from gateway.config.loader import ConfigError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from gateway.application import Gateway
    from gateway.config.files import Files
    from gateway.workers.team import Place

QUESTION = "What is the capital of France?"


def command(
    config: Config = DEFAULT_CONFIG,
    host: Annotated[str | None, typer.Option(help="Listen here instead of server.host.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Listen here instead of server.port; 0 takes a free port.")
    ] = None,
    log_level: LogLevel = "info",
    workers: Annotated[
        str | None, typer.Option(help="Processes that serve, instead of server.workers; auto: one for each core.")
    ] = None,
    *,
    learn: Annotated[bool, typer.Option(help="Whether a learner runs beside it, where a router learns.")] = True,
) -> None:
    """Serve until SIGTERM or Ctrl-C; SIGHUP, or a changed file, reloads the configuration."""
    from gateway.config.files import read_files
    from gateway.logs import set_up

    set_up(log_level)
    _say(f"pointsman: opening {config} ...")
    files = read_files(config, os.environ)
    count = _counted(workers, files)
    if count == 1:
        run(_serve(config, host, port, learn=learn))
        return
    command = ["worker", "--config", str(config), "--log-level", log_level, "--learn" if learn else "--no-learn"]
    run(_supervise(_place(files, host, port, count), command))


async def _serve(config: Path, host: str | None, port: int | None, *, learn: bool) -> int:
    """Serve in this process."""
    from gateway.application import Gateway
    from gateway.server import serve

    # As it was given, for a link may lead elsewhere by the next reload: a ConfigMap's does.
    gateway = Gateway(config, os.environ, learn=learn)

    async def announce(address: str) -> None:
        _say(ready(gateway, address))

    await serve(gateway, host, port, announce)
    return 0


async def _supervise(place: Place, command: list[str]) -> int:
    """Have workers serve."""
    from gateway.workers.sockets import held
    from gateway.workers.supervisor import Supervisor

    sockets = held(place.host, place.port)
    try:
        port = sockets[0].getsockname()[1]
        return await Supervisor(replace(place, port=port), command, _say).run()
    finally:
        for socket in sockets:
            socket.close()


def run(serving: Coroutine[Any, Any, int]) -> None:
    """Run to the end on the fastest loop there is, and exit with the status that comes of it."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        status = runner.run(serving)
    if status:
        raise typer.Exit(status)


def _say(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(escape(text), highlight=False)


def _place(files: Files, host: str | None, port: int | None, count: int) -> Place:
    """Return where all listen. Raises `ConfigError` where strangers would be served."""
    from gateway.config.references import strangers_problem
    from gateway.workers.team import Place

    settings = files.config.server
    host = host or settings.host
    if problem := strangers_problem(files.config, host):
        raise ConfigError(f"--host: {problem}")
    return Place(0, count, host, settings.port if port is None else port)


def _counted(workers: str | None, files: Files) -> int:
    """Return how many are to serve: by the option, or as is written. Raises `ConfigError`."""
    from gateway.workers.checks import count_of, refuse_unshared

    if workers is not None and workers != "auto" and not (workers.isdecimal() and int(workers)):
        raise ConfigError(f"--workers: {workers!r} is no number of processes: write 1 or more, or auto")
    asked = files.config.server.workers if workers is None else workers
    count = count_of("auto" if asked == "auto" else int(asked))
    refuse_unshared(files, count)
    return count


def ready(gateway: Gateway, address: str) -> str:
    """Return what is said when the gateway is ready: what it serves, and how to try it."""
    known = gateway.runtime.policies
    first = next(iter([*known.policies, *known.models]))
    key = "none" if gateway.runtime.callers.open else "YOUR_KEY"
    authorization = f' \\\n    -H "authorization: Bearer {key}"' if key != "none" else ""
    body = {"model": first, "max_tokens": 32, "messages": [{"role": "user", "content": QUESTION}]}
    policies = [f"    {name}  ({policy.description or 'policy'})" for name, policy in known.policies.items()]
    models = [f"    {name}" for name in known.models]
    return "\n".join(
        [
            f"pointsman: ready at {address}",
            "  policies:" if policies else "  no policies",
            *policies,
            "  models:",
            *models,
            "",
            "Try it:",
            f"  curl {address}/v1/chat/completions{authorization} \\",
            f"    -d '{json.dumps(body)}'",
            "",
            "  from openai import OpenAI",
            f'  client = OpenAI(base_url="{address}/v1", api_key="{key}")',
            f'  answer = client.chat.completions.create(model="{first}", max_tokens=32, messages=[',
            f'      {{"role": "user", "content": "{QUESTION}"}}])',
            "  print(answer.choices[0].message.content)",
        ]
    )
