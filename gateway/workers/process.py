"""A worker as its parent sees it: the process, and the way to it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from socket import socketpair
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from gateway.workers.channel import Channel, ChannelClosed
from gateway.workers.team import Orders

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping, Sequence

    from gateway.workers.channel import Answering
    from gateway.workers.team import Place

#: Where this package is.
ROOT: Final = Path(__file__).resolve().parents[2]


class Worker:
    """One process that serves. `name` is unlike that of any other that there was."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.name = uuid4().hex[:12]
        #: Whether it listens, and what is to be said of that.
        self.ready = False
        self.said = ""
        #: What it had counted when that was heard last.
        self.counted: Sequence[Any] = ()
        self._process: Process | None = None
        self._signalled: int | None = None
        self._channel: Channel | None = None

    @property
    def pid(self) -> int | None:
        """Return the process's id; None before it is started."""
        return self._process.pid if self._process else None

    async def run(self, command: Sequence[str], answering: Mapping[str, Answering]) -> int:
        """Start it, answer its questions, and return its exit status once it has ended. Raises `OSError`."""
        here, there = socketpair()
        with there:
            written = json.dumps(asdict(Orders(self.place, there.fileno(), self.name)))
            # Started anew, not forked: no thread, lock or connection of the parent's is in it.
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", *command, "--orders", written),
                pass_fds=(there.fileno(),),
                env={**os.environ, "PYTHONPATH": _path()},
                # Control-C in a terminal is for the parent, which passes it on.
                start_new_session=True,
            )
        if self._signalled is not None:
            self.signal(self._signalled)
        self._channel = await Channel.over(here, {**answering, "counted": self._hear})
        status = await self._process.wait()
        self._channel.close()
        await self._channel.ended  # what it said last has been heard
        return status

    async def ask(self, what: str, within_s: float | None = None) -> Any:
        """Return its answer. Raises `ChannelClosed`, and `TimeoutError` where it takes longer than `within_s`."""
        if self._channel is None:
            raise ChannelClosed("the worker has not been started")
        async with asyncio.timeout(within_s):
            return await self._channel.ask(what)

    def tell(self, what: str, *details: Any) -> None:
        """Tell it something, if it listens."""
        if self._channel is not None:
            self._channel.tell(what, *details)

    async def count(self, within_s: float) -> None:
        """Hear what it has counted; where it does not say so in time, what was heard before stands."""
        with suppress(ChannelClosed, TimeoutError):
            self.counted = await self.ask("counted", within_s)

    def signal(self, number: int) -> None:
        """Send it a signal, if it runs, or as soon as it does."""
        self._signalled = number
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _hear(self, counted: Sequence[Any]) -> None:
        self.counted = counted


def _path() -> str:
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
