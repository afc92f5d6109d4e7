"""Models that are asked probes: their backends, open for as long as that takes."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.config.build import open_backends
from gateway.config.gates import give_encoder
from gateway.profiling.ask import Asker
from gateway.profiling.gating import Gating
from gateway.profiling.journal import described
from providers.vendors import LOCAL, VENDORS
from routers.registry import build_gate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from gateway.config.files import Files


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks the models, and how a journal describes each."""

    asker: Asker
    descriptions: Mapping[str, str]


@asynccontextmanager
async def asking(files: Files, names: Sequence[str], gate: Mapping[str, Any] | None = None) -> AsyncIterator[Asking]:
    """Open what answers under these models' names, until the block ends; a gate, as specified, looks at the answers.

    Raises `ComponentError` for a gate that cannot be built.
    """
    built = None if gate is None else build_gate(gate)
    give_encoder(built)
    async with open_backends(files, os.environ) as backends:
        written = {name: files.config.models[name] for name in names}
        providers = {name: files.config.providers[model.reached[0].provider] for name, model in written.items()}
        vendors = {name: VENDORS.get(provider.vendor, LOCAL) for name, provider in providers.items()}
        descriptions = {name: described(model, providers[name], gate) for name, model in written.items()}
        gating = None if built is None else Gating(built, [backends[name].candidate for name in names])
        yield Asking(Asker(backends, vendors, gating), descriptions)
