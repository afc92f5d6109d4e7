"""The parent of workers: starts them, starts them again when they die, passes signals on, and keeps what they share."""

from __future__ import annotations

import asyncio
import logging
import signal
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.workers.channel import ChannelClosed
from gateway.workers.process import Worker
from gateway.workers.table import Table
from gateway.workers.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.workers.sessions import Note
    from gateway.workers.team import Place

logger = logging.getLogger("pointsman")

#: Seconds between two looks at what workers have counted, and for which a worker may keep others waiting.
BEAT_S: Final = 1.0
#: Seconds to wait before one that died is started again: the first time, and at most.
FIRST_BACKOFF_S, LAST_BACKOFF_S = 0.5, 30.0
#: One that ran for so many seconds was healthy: the next back-off begins anew.
HEALTHY_S: Final = 30.0
#: How often workers are asked again that have read different configurations, because it changed between them.
TRIES: Final = 3


class Supervisor:
    """Runs `command` in as many processes as `place` says. `say` is told what to announce once all of them listen."""

    def __init__(self, place: Place, command: Sequence[str], say: Callable[[str], None]) -> None:
        self._place = place
        self._command = command
        self._say = say
        self._table = Table()
        self._tally = Tally()
        self._workers: dict[int, Worker] = {}
        self._keeping: list[asyncio.Task[int]] = []
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._rounds: set[asyncio.Task[bool]] = set()
        #: Done when a worker listens for the first time; False where it has ended before.
        self._opened: dict[int, asyncio.Future[bool]] = {}

    async def run(self) -> int:
        """Have all serve until told to stop by SIGTERM or SIGINT; return the exit status.

        One of them begins alone: it makes the log, where there is none, and what is wrong is said once.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, number)
        loop.add_signal_handler(signal.SIGHUP, self._begin_reload)
        listening = asyncio.ensure_future(self._listen())
        try:
            if await self._open([0]) and await self._open(range(1, self._place.count)):
                self._say(self._workers[0].said)
            return max(await asyncio.gather(*self._keeping))
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Have all stop, by a signal that each of them understands; none is started any more."""
        self._stopping.set()
        for worker in self._workers.values():
            worker.signal(number)

    async def reload(self) -> bool:
        """Have all take the configuration on disk, or none: all open it first; tell whether it is in force.

        One that is being started reads it anyway, and joins the others once it listens.
        """
        async with self._reloading:
            workers = [worker for worker in self._workers.values() if worker.ready]
            digests = await self._prepared(workers)
            agreed = None not in digests and len(digests) == 1
            await _told(workers, "commit" if agreed else "abandon")
            return agreed

    async def _prepared(self, workers: Sequence[Worker]) -> set[str | None]:
        """Have workers open the configuration; return what they have read: None for one that cannot be taken."""
        digests: set[str | None] = set()
        for _ in range(TRIES):
            digests = {digest for found in await _told(workers, "prepare") for digest in found}
            if len(digests) <= 1 or None in digests:
                break
            await _told(workers, "abandon")
        return digests

    async def _open(self, numbers: Iterable[int]) -> bool:
        """Start workers, and wait until they listen; tell whether they do."""
        opened = []
        for number in numbers:
            opened.append(asyncio.get_running_loop().create_future())
            self._opened[number] = opened[-1]
            self._keeping.append(asyncio.ensure_future(self._keep(number)))
        return all(await asyncio.gather(*opened))

    async def _keep(self, number: int) -> int:
        """Have a worker run until all stop; return the exit status of the last one."""
        clock, backoff_s = asyncio.get_running_loop().time, FIRST_BACKOFF_S
        while True:
            began = clock()
            worker = self._workers[number] = Worker(replace(self._place, index=number))
            status = await self._ended(worker)
            if self._stopping.is_set():
                self._open_or_not(number, listens=False)
                # One that was told to stop before it listened ended as it could.
                return int(worker.ready and status != 0)
            if self._open_or_not(number, listens=False):
                self.stop()
                return abs(status) or 1
            self._tally.deaths += 1
            backoff_s = FIRST_BACKOFF_S if clock() - began >= HEALTHY_S else backoff_s
            logger.error("worker.died", extra={"worker": number, "exit_status": status, "again_in_s": backoff_s})
            try:
                async with asyncio.timeout(backoff_s):
                    await self._stopping.wait()
                    return 0
            except TimeoutError:
                backoff_s = min(2 * backoff_s, LAST_BACKOFF_S)

    async def _ended(self, worker: Worker) -> int:
        """Run a worker to its end; keep what it has counted, and give back what it held."""
        try:
            return await worker.run(self._command, self._answering(worker))
        except OSError as error:
            logger.error("worker.not_started", extra={"reason": str(error)})  # noqa: TRY400 - the reason says it all
            return 1
        finally:
            self._tally.keep(worker.counted)
            worker.counted = ()
            self._table.forget(worker.name, datetime.now(UTC))

    def _answering(self, worker: Worker) -> dict[str, Callable[..., Any]]:
        def ready(said: str) -> None:
            worker.ready, worker.said = True, said
            if not self._open_or_not(worker.place.index, listens=True):
                self._begin_reload()  # the configuration may have changed for it alone

        def spread(what: str, told: list[Any]) -> None:
            for other in self._workers.values():
                if other is not worker:
                    other.tell(what, told)

        def note(notes: list[Note]) -> None:
            self._table.sessions.hear(notes)
            spread("noted", notes)

        keep = partial(spread, "kept")
        return {
            **self._table.answering,
            "note": note,
            "keep": keep,
            "ready": ready,
            "reload": self.reload,
            "metrics": self._metrics,
        }

    def _open_or_not(self, number: int, *, listens: bool) -> bool:
        """Note whether a worker listens; tell whether that was not known before."""
        opened = self._opened[number]
        news = not opened.done()
        if news:
            opened.set_result(listens)
        return news

    def _begin_reload(self) -> None:
        task = asyncio.ensure_future(self.reload())
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)

    async def _metrics(self) -> list[Any]:
        """Return what all workers have counted until now, those included that have ended."""
        await self._count()
        return self._tally.families(self._workers.values())

    async def _count(self) -> None:
        await asyncio.gather(*(worker.count(BEAT_S) for worker in self._workers.values() if worker.ready))

    async def _listen(self) -> None:
        """Hear what workers have counted, lest it is lost with them."""
        while True:
            await asyncio.sleep(BEAT_S)
            await self._count()


async def _told(workers: Sequence[Worker], what: str) -> list[list[str | None]]:
    """Return what each worker answers: nothing for one that ends meanwhile."""

    async def told(worker: Worker) -> list[str | None]:
        try:
            return [await worker.ask(what)]
        except ChannelClosed:
            return []

    return list(await asyncio.gather(*map(told, workers)))
