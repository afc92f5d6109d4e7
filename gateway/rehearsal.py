"""Decisions outside of a gateway that serves: nothing is sent, nothing is logged, and no model is started."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from gateway.callers import OPEN, Access
from gateway.config.callers import build_callers
from gateway.config.deciding import build_decider, needs_encoder, open_encoder_of
from gateway.config.loader import ConfigError, did_you_mean
from gateway.deciding import World
from gateway.endpoints.fleet import Fleet
from gateway.latencies import Latencies
from gateway.metrics import Metrics
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.quotas import Quotas
from gateway.sessions import Sessions
from gateway.signals.embedding import Embedder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.config.files import Files
    from gateway.config.models import GatewayConfig
    from gateway.deciding import Decider


@asynccontextmanager
async def open_decider(files: Files, deadline_ms: float) -> AsyncIterator[Decider]:
    """Open what decides by a configuration, with a deadline for signals of its own.

    Raises `ConfigError`. It reads files and fits classifiers, on the event loop: not for one that serves.
    """
    signals = files.config.signals.model_copy(update={"deadline_ms": deadline_ms})
    files = replace(files, config=files.config.model_copy(update={"signals": signals}))
    embedder = Embedder(open_encoder_of(files)) if needs_encoder(files) else None
    try:
        decider = build_decider(files, embedder, Metrics())
        try:
            yield decider
        finally:
            decider.signals.close()
    finally:
        if embedder is not None:
            await embedder.aclose()


#: Nothing is counted in a rehearsal.
NO_QUOTAS = Quotas((), MemoryLedger(), longest_s=0)


def fresh_world(seed: int = 0) -> World:
    """Return a world in which no model has failed, no session has begun, and draws are always the same."""
    return World(Fleet(), Sessions(), Latencies(), Random(seed), NO_QUOTAS)  # noqa: S311 - a rehearsal wants a seeded draw


def access_named(config: GatewayConfig, name: str | None, option: str = "--caller") -> Access:
    """Return what a caller's key gives access to; of None, what anyone has. Raises `ConfigError`."""
    if name is None:
        return OPEN
    if (caller := config.callers.get(name)) is None:
        raise ConfigError(f"{option}: no caller {name!r}; {did_you_mean(name, config.callers)}")
    return build_callers(config).identify(caller.key.get_secret_value()) or OPEN
