"""The process beside a gateway that learns from its log: started, watched, and started again when it dies."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Mapping

logger = logging.getLogger("pointsman")

#: Where this package is.
ROOT: Final = Path(__file__).resolve().parents[2]
#: Seconds that it has to end when it is told to, before it is killed; nothing is lost by that.
TERMINATION_S: Final = 5.0
#: Seconds to wait before one that died is started again: the first time, and at most.
FIRST_BACKOFF_S, LAST_BACKOFF_S = 0.5, 30.0
#: One that ran for so many seconds was healthy: the next back-off begins anew.
HEALTHY_S: Final = 30.0


class Child:
    """Keeps one learner running for a configuration. It ends with this process, however that ends.

    `on_death` is called on the event loop whenever it has died by itself.
    """

    def __init__(self, path: Path, environment: Mapping[str, str], on_death: Callable[[], None]) -> None:
        self._path = path
        self._environment = environment
        self._on_death = on_death
        self._process: Process | None = None
        self._supervision: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Return the process's id; None while there is none."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it, in the background; starting twice is harmless."""
        if self._supervision is None:
            self._supervision = asyncio.ensure_future(self._supervise())

    async def aclose(self) -> None:
        """End it. Harmless when there is none."""
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.gather(self._supervision, return_exceptions=True)
            self._supervision = None
        if self._process is not None:
            await _end(self._process)
            self._process = None

    async def _supervise(self) -> None:
        clock, backoff_s = asyncio.get_running_loop().time, FIRST_BACKOFF_S
        while True:
            began = clock()
            try:
                process = self._process = await self._launch()
                status: int | str = await process.wait()
            except OSError as error:
                status = str(error)
            logger.error("learner.died", extra={"exit_status": status})
            self._on_death()
            backoff_s = FIRST_BACKOFF_S if clock() - began >= HEALTHY_S else min(2 * backoff_s, LAST_BACKOFF_S)
            await asyncio.sleep(backoff_s)

    async def _launch(self) -> Process:
        inherited = {**os.environ, **self._environment}
        path = os.pathsep.join([str(ROOT), *filter(None, [inherited.get("PYTHONPATH")])])
        level = logging.getLevelName(logging.getLogger().getEffectiveLevel()).lower()
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "learn", "--config", str(self._path), "--child", "--log-level", level),
            # It reads until the end of this, which comes when this process has ended, too.
            stdin=asyncio.subprocess.PIPE,
            env={**inherited, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            # Control-C in a terminal is for the gateway.
            start_new_session=True,
        )


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(TERMINATION_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
