"""`pointsman learn`: learn from the log, as a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, Config, LogLevel

#: What a learner gives way to a gateway beside it by.
NICENESS = 10


def command(
    config: Config = DEFAULT_CONFIG,
    log_level: LogLevel = "info",
    *,
    once: Annotated[bool, typer.Option("--once", help="Learn all that is there now, then end.")] = False,
    child: Annotated[bool, typer.Option("--child", hidden=True, help="End with standard input.")] = False,
) -> None:
    """Learn from the log until SIGTERM or Ctrl-C; gateways that serve from it take what was learned at once.

    By default `pointsman serve` has a learner of its own: set `learning.run: external` where this one is to learn. Two
    learners never learn from one log.
    """
    from threadpoolctl import threadpool_limits

    from gateway.learning.service import Service
    from gateway.logs import set_up

    set_up(log_level)
    os.nice(NICENESS)
    threadpool_limits(limits=1, user_api="blas")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if child:
        threading.Thread(target=_end_with_input, args=(stop,), name="parent", daemon=True).start()
    Service(config, os.environ, stop).run(standby=child, once=once)


def _end_with_input(stop: threading.Event) -> None:
    """Stop once standard input ends: whoever has started this process has ended."""
    sys.stdin.buffer.read()
    stop.set()
