"""What several workers cannot share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from gateway.config.loader import ConfigError
from gateway.config.models import LocalConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.files import Files


def count_of(workers: int | Literal["auto"]) -> int:
    """Return how many workers there are to be: for `auto` one for each core that this process may use."""
    return len(os.sched_getaffinity(0)) if workers == "auto" else workers


def refuse_unshared(files: Files, count: int) -> None:
    """Raise `ConfigError` where a configuration cannot be served by so many workers."""
    if count > 1 and (wrong := [*_unshared(files, count)]):
        raise ConfigError("\n".join(wrong))


def _unshared(files: Files, count: int) -> Iterator[str]:
    """Yield a line for each thing that would be another one in each worker."""
    document = files.document
    if files.config.store.type == "memory":
        yield document.at(("store", "type"), f"each of {count} workers would have a log of its own: write sqlite")
    for name, provider in files.config.providers.items():
        place = ("providers", name)
        if isinstance(provider, LocalConfig):
            yield document.at(place, f"each of {count} workers would load these weights: set server.workers to 1")
        elif provider.concurrency.max is not None and provider.concurrency.max < count:
            yield document.at(
                (*place, "concurrency", "max"), f"is less than one for each of {count} workers: have fewer workers"
            )
