"""The engines of one machine: this process, or several."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Self, TypeVar

from gateway.engines.engine import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")

#: What numerical libraries ask how many threads to start, once, when they are loaded.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Serial:
    """Does one job after the other, in this process: nothing has to be picklable."""

    workers = 1

    def map(
        self, function: Callable[[T], R], items: Sequence[T], on_done: Callable[[int, R], None] | None = None
    ) -> list[R]:
        """Return what `function` makes of each item; see `Engine`."""
        results = []
        for number, item in enumerate(items):
            results.append(function(item))
            if on_done:
                on_done(number, results[-1])
        return results

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...


class Processes:
    """Does as many jobs at once as there are `workers`: processes that are started once, with one thread each."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        # Forking a process that has threads (and libraries that have some) may leave the child with locks that are
        # never released.
        self._pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))

    def map(
        self, function: Callable[[T], R], items: Sequence[T], on_done: Callable[[int, R], None] | None = None
    ) -> list[R]:
        """Return what `function` makes of each item; see `Engine`."""
        results: dict[int, R] = {}
        numbers: dict[Future[R], int] = {}
        try:
            with _one_thread():
                numbers |= {self._pool.submit(function, item): number for number, item in enumerate(items)}
            for future in as_completed(numbers):
                number = numbers[future]
                results[number] = future.result()
                if on_done:
                    on_done(number, results[number])
        except BrokenProcessPool as error:
            remedy = "memory may have run out: use fewer ('processes:N'), or 'serial'"
            raise EngineError(f"engine 'processes:{self.workers}': a process died ({error}); {remedy}") from error
        finally:
            for future in numbers:
                future.cancel()
        return [results[number] for number in range(len(items))]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes that are started meanwhile use one thread each for numerical work.

    They inherit the environment. An initialiser would be too late: by then a child has imported the main module,
    and numpy with it.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
