"""The memory of a gateway while streams are open."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from servers import pinned
from targets import SLOW_MODEL

if TYPE_CHECKING:
    from scenarios import Load
    from targets import Target

STREAMS = 1000
#: Seconds over which they are opened, and for which they are all open before memory is looked at.
OPENING_S, OPEN_S = 3.0, 3.0
#: Seconds after which an overload that was measured before is over.
AFTER_S = 2.0


def memory_of_streams(load: Load, target: Target) -> tuple[float, int]:
    """Return the megabytes with so many streams open, an event each 500 ms, and how many of them failed."""
    if target.server is None:
        return 0.0, 0
    target.server.resume()
    time.sleep(AFTER_S)
    command = load.command(replace(target, model=SLOW_MODEL, name="memory"), "streams")
    for name, value in (("conns", STREAMS), ("duration", OPENING_S + OPEN_S + 2), ("stagger-ms", OPENING_S * 1000)):
        command[command.index(f"--{name}") + 1] = str(value)
    with pinned(load.core):
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    time.sleep(OPENING_S + OPEN_S)
    found = target.server.memory_mb()
    said, _ = running.communicate(timeout=load.limit_s("streams"))
    target.server.settle()
    target.server.pause()
    return found, json.loads(said)["non2xx"]
