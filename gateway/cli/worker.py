"""`pointsman worker`: one of the processes of `pointsman serve --workers`, which starts it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, Config, LogLevel
from gateway.cli.serve import ready, run

if TYPE_CHECKING:
    from pathlib import Path

Orders = Annotated[str, typer.Option(help="Its place among the others, and the way to its parent, in JSON.")]


def command(
    orders: Orders, config: Config = DEFAULT_CONFIG, log_level: LogLevel = "info", *, learn: bool = True
) -> None:
    """Serve as one of several workers, until told to stop, or until the parent has ended."""
    from gateway.logs import set_up

    set_up(log_level)
    run(_work(orders, config, learn=learn))


async def _work(written: str, config: Path, *, learn: bool) -> int:
    """Serve as one of several workers."""
    from gateway.application import Gateway
    from gateway.server import work
    from gateway.workers.channel import ChannelClosed
    from gateway.workers.team import Orders, Team

    orders = Orders.read(json.loads(written))
    team = Team(orders.place, orders.name)
    gateway = Gateway(config, os.environ, learn=learn, team=team)
    await team.join(orders.descriptor, gateway)
    try:
        await work(gateway, team, lambda address: ready(gateway, address))
    except ChannelClosed:
        return 1  # the parent has ended before this worker began to serve
    finally:
        await team.leave()
    return 0
