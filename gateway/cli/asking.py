"""Models that are asked probes: their backends, open for as long as that takes."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.config.build import open_backends
from gateway.profiling.ask import Asker
from gateway.profiling.journal import described
from providers.vendors import LOCAL, VENDORS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from gateway.config.files import Files


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks the models, and how a journal describes each."""

    asker: Asker
    descriptions: Mapping[str, str]


@asynccontextmanager
async def asking(files: Files, names: Sequence[str]) -> AsyncIterator[Asking]:
    """Open what answers under these models' names, until the block ends."""
    async with open_backends(files, os.environ) as backends:
        written = {name: files.config.models[name] for name in names}
        providers = {name: files.config.providers[model.reached[0].provider] for name, model in written.items()}
        vendors = {name: VENDORS.get(provider.vendor, LOCAL) for name, provider in providers.items()}
        descriptions = {name: described(model, providers[name]) for name, model in written.items()}
        yield Asking(Asker(backends, vendors), descriptions)
