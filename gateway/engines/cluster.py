"""The engine of many machines: a Dask cluster. Importing this module needs the extra `cluster`."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar

from gateway.engines.engine import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# By name, because a plain installation has neither for the type checker to read.
dask: Any = import_module("dask")
distributed: Any = import_module("distributed")

T = TypeVar("T")
R = TypeVar("R")

#: How long to wait for the scheduler, and for its first worker.
PATIENCE_S = 30.0
#: Tries to be greeted by a scheduler that does answer.
GREETINGS = 3
#: Items that are sent ahead for each thread of the cluster, so that none waits; all at once would fill its memory.
AHEAD = 2
#: What Dask may not warn of: how large a job is.
LARGE = "1 GiB"


class Cluster:
    """Does jobs on a Dask cluster.

    `address` is the scheduler's. None takes the one that Dask's own configuration names (`DASK_SCHEDULER_ADDRESS`),
    and without one starts a cluster in processes of this machine, a thread each. Raises `EngineError`.
    """

    def __init__(self, address: str | None, *, patience_s: float = PATIENCE_S) -> None:
        address = address or dask.config.get("scheduler-address", None)
        self._name = address or "dask"
        with ExitStack() as opened:
            try:
                self._client = _connected(address or _started(opened), patience_s)
            except (OSError, ValueError) as error:
                remedy = "start one with `dask scheduler`, and look at host, port and firewall"
                raise EngineError(f"engine {self._name!r}: no scheduler answers ({error}); {remedy}") from error
            opened.callback(self._client.close)
            try:
                self._client.wait_for_workers(1, timeout=patience_s)
            except TimeoutError as error:
                remedy = f"start some with `dask worker {self._name}`"
                raise EngineError(f"engine {self._name!r}: the scheduler has no workers; {remedy}") from error
            self._opened = opened.pop_all()

    @property
    def workers(self) -> int:
        """Return how many threads the cluster has now."""
        return sum(self._client.nthreads().values())

    def map(
        self, function: Callable[[T], R], items: Sequence[T], on_done: Callable[[int, R], None] | None = None
    ) -> list[R]:
        """Return what `function` makes of each item; see `Engine`."""
        results: dict[int, R] = {}
        waiting = iter(enumerate(items))
        numbers: dict[Any, int] = {}
        try:
            numbers |= self._send(function, islice(waiting, AHEAD * max(1, self.workers)))
            completed = distributed.as_completed(numbers, loop=self._client.loop)
            for future in completed:
                number = numbers.pop(future)
                results[number] = future.result()
                if on_done:
                    on_done(number, results[number])
                sent = self._send(function, islice(waiting, 1))
                numbers |= sent
                completed.update(sent)
        except (distributed.CancelledError, distributed.KilledWorker) as error:
            remedy = "memory may have run out on its machines: see the logs of scheduler and workers"
            raise EngineError(f"engine {self._name!r}: lost what did a job ({error}); {remedy}") from error
        finally:
            self._client.cancel(list(numbers))
        return [results[number] for number in range(len(items))]

    def _send(self, function: Callable[[T], R], items: Iterable[tuple[int, T]]) -> dict[Any, int]:
        # A job is sent with its data on purpose: the scheduler keeps it, and gives it to another worker where one
        # is lost, which data scattered to the workers would not survive.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": LARGE}):
            return {self._client.submit(function, item, pure=False): number for number, item in items}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()


def _started(opened: ExitStack) -> str:
    """Start a cluster on this machine, and return its address."""
    cluster = distributed.LocalCluster(
        n_workers=os.cpu_count() or 1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    )
    return str(opened.enter_context(cluster).scheduler_address)


def _connected(address: str, patience_s: float) -> Any:
    # Not the default client of the process: that is the user's.
    # `distributed` asserts that the scheduler's greeting comes alone. On a busy machine other news comes in the same
    # batch, which says nothing about the scheduler: another try is greeted anew.
    for _ in range(GREETINGS - 1):
        with suppress(AssertionError):
            return distributed.Client(address, timeout=patience_s, set_as_default=False)
    return distributed.Client(address, timeout=patience_s, set_as_default=False)
