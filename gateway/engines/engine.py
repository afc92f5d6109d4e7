"""What does many independent jobs, and how to open it by name."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

T = TypeVar("T")
R = TypeVar("R")

NAMES = "'serial', 'processes', 'processes:4', 'dask' or a scheduler's address as tcp://host:8786"


class EngineError(Exception):
    """An engine cannot be opened, or lost its workers; the message names it and the remedy."""


class Engine(Protocol):
    """Does jobs somewhere. It is a context manager: leaving it ends the workers that it started."""

    @property
    def workers(self) -> int:
        """Return how many jobs it does at once."""
        ...

    def map(
        self, function: Callable[[T], R], items: Sequence[T], on_done: Callable[[int, R], None] | None = None
    ) -> list[R]:
        """Return what `function` makes of each item, in the order of the items.

        `on_done` is called in this process with an item's number and its result as soon as it is there, in any
        order. Function, items and results have to be picklable; the function may be called again for an item
        whose worker was lost. The first exception of a job is raised here, and what has not begun is cancelled.
        Raises `EngineError` where workers are lost for good.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def open_engine(name: str) -> Engine:
    """Open an engine by its name: see `NAMES`. Raises `EngineError`."""
    kind, _, count = name.partition(":")
    if name == "serial":
        serial: Engine = import_module("gateway.engines.local").Serial()
        return serial
    if kind == "processes":
        processes: Engine = import_module("gateway.engines.local").Processes(_workers(name, count))
        return processes
    if name == "dask" or "://" in name:
        return _cluster(name)
    raise EngineError(f"no engine {name!r}; give {NAMES}")


def _workers(name: str, count: str) -> int:
    if not count and name == "processes":
        return os.cpu_count() or 1
    if not count.isascii() or not count.isdigit() or int(count) < 1:
        raise EngineError(f"engine {name!r}: {count!r} is not a number of processes; give 1 or more, as 'processes:4'")
    return int(count)


def _cluster(name: str) -> Engine:
    try:
        module = import_module("gateway.engines.cluster")
    except ModuleNotFoundError as error:
        if error.name not in {"dask", "distributed"}:
            raise
        raise EngineError(
            f"engine {name!r} needs {error.name}, which is not installed: pip install 'pointsman[cluster]', "
            "or use 'processes', which needs nothing more"
        ) from error
    cluster: Engine = module.Cluster(None if name == "dask" else name)
    return cluster
