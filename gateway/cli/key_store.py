"""The keys of a configuration, for commands that change them."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, TypeVar

from gateway.config.files import read_files
from gateway.config.linking import open_link
from gateway.config.loader import ConfigError
from gateway.keys.opening import open_ring
from gateway.keys.registry import Registry
from gateway.keys.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from gateway.config.files import Files

Answer = TypeVar("Answer")


def with_keys(path: Path, work: Callable[[Registry], Awaitable[Answer]]) -> Answer:
    """Return what is found in the keys of the configuration at `path`, or done to them.

    Raises `ConfigError`, also where there are no virtual keys, and what `Registry` raises.
    """
    return asyncio.run(_work(read_files(path, os.environ), work))


async def _work(files: Files, work: Callable[[Registry], Awaitable[Answer]]) -> Answer:
    config = files.config
    if config.keys is None:
        raise ConfigError(files.document.at((), "has no virtual keys: write `keys: {}`"))
    link = open_link(config.redis)
    try:
        ring = await open_ring(config.keys, files.path.parent, link)
        try:
            return await work(Registry(ring, _vocabulary(files)))
        finally:
            await ring.aclose()
    finally:
        if link is not None:
            await link.aclose()


def _vocabulary(files: Files) -> Vocabulary:
    classes = files.config.data_classes
    policies = [policy.config.name for policy in files.policies]
    return Vocabulary(files.config.models, policies, classes.names if classes else ())
