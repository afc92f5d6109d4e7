"""`pointsman serve`: run the gateway."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gateway.cli.options import DEFAULT_CONFIG, Config, LogLevel

if TYPE_CHECKING:
    from gateway.application import Gateway

QUESTION = "What is the capital of France?"


def command(
    config: Config = DEFAULT_CONFIG,
    host: Annotated[str | None, typer.Option(help="Listen here instead of server.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen here instead of server.port; 0 takes a free port.")] = None,
    log_level: LogLevel = "info",
    *,
    learn: Annotated[bool, typer.Option(help="Whether a learner runs beside it, where a router learns.")] = True,
) -> None:
    """Serve until SIGTERM or Ctrl-C; SIGHUP, or a changed file, reloads the configuration."""
    import uvloop

    from gateway.application import Gateway
    from gateway.logs import set_up
    from gateway.server import serve

    set_up(log_level)
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"pointsman: opening {escape(str(config))} ...", highlight=False)
    gateway = Gateway(config, os.environ, learn=learn)

    def announce(address: str) -> None:
        console.print(escape(ready(gateway, address)), highlight=False)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(gateway, host, port, announce))


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
