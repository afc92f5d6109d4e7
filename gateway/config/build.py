"""Opens what a configuration names: encoder, local models, endpoints."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from gateway.config.caching import build_caching
from gateway.config.callers import admin_key_of, build_callers
from gateway.config.deciding import build_decider, needs_encoder, open_encoder_of
from gateway.config.endpoints import build_backends, build_provider
from gateway.config.models import LocalConfig
from gateway.identity.errors import JwksError
from gateway.keys.errors import KeysAway
from gateway.keys.opening import open_ring
from gateway.resources import Resources
from gateway.runtime import Parts, Runtime
from gateway.signals.embedding import Embedder
from gateway.standing_back import in_background
from providers.local import LocalError, LocalModel, LocalServer
from providers.transport import open_transport
from providers.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable, Mapping
    from pathlib import Path

    import httpx2

    from gateway.backend import Backend
    from gateway.caching.shelf import Shelf
    from gateway.callers import Callers
    from gateway.config.files import Files
    from gateway.identity.tokens import Tokens
    from gateway.keys.ring import KeyRing
    from gateway.listening import Listening
    from gateway.metrics import Metrics
    from gateway.sharing.link import Link


@dataclass(frozen=True, slots=True)
class Lasting:
    """What outlives a configuration. `link` leads to Redis, where there is one; `shelf` keeps answers.

    `listening` is None where nobody listens to requests.
    """

    resources: Resources
    metrics: Metrics
    link: Link | None
    shelf: Shelf
    listening: Listening | None = None


async def open_runtime(files: Files, environment: Mapping[str, str], lasting: Lasting) -> Runtime:
    """Open what the configuration names, and return it ready to serve.

    Raises `ConfigError`; then nothing stays open.
    """
    opening = _Opening(files, environment, lasting.resources)
    try:
        embedder = await opening.embedder()
        decider = await asyncio.to_thread(build_decider, files, embedder, lasting.metrics)
        backends = await opening.backends()
        callers = await opening.callers(lasting.link)
    except BaseException:
        await opening.aclose()
        raise
    encoder = embedder.encoder if embedder else None
    caching = build_caching(files.config, lasting.shelf, encoder, lasting.metrics.cache)
    listeners = lasting.listening.listeners(files.config, backends) if lasting.listening else ()
    return Runtime(files.config, files.digest, Parts(decider, callers, backends, caching, listeners), opening.aclose)


@asynccontextmanager
async def open_backends(files: Files, environment: Mapping[str, str]) -> AsyncIterator[Mapping[str, Backend]]:
    """Open the models that the configuration names, and nothing else, until the block ends. Raises `ConfigError`."""
    opening = _Opening(files, environment, Resources())
    try:
        yield await opening.backends()
    finally:
        await opening.aclose()


class _Opening:
    """Acquires resources and remembers them, so that they can be given back."""

    def __init__(self, files: Files, environment: Mapping[str, str], resources: Resources) -> None:
        self._files = files
        self._config = files.config
        self._environment = environment
        self._resources = resources
        self._held: list[Hashable] = []

    async def aclose(self) -> None:
        held, self._held = self._held, []
        await asyncio.gather(*(self._resources.release(key) for key in held))

    async def embedder(self) -> Embedder | None:
        """Open the sentence encoder, if some policy's router reads embeddings."""
        if not needs_encoder(self._files):
            return None
        settings = self._config.signals.embedding
        key = ("embedder", settings)

        async def open_it() -> Embedder:
            # The encoder's own threads are started as it is opened.
            encoder = await in_background(open_encoder_of, self._files)
            return Embedder(encoder, cache_entries=settings.cache_entries)

        embedder = await self._resources.acquire(key, open_it)
        self._held.append(key)
        return embedder

    async def backends(self) -> dict[str, Backend]:
        """Open every provider that a model names, local models side by side."""
        names = sorted({one.provider for model in self._config.models.values() for one in model.reached})
        transports = {name: await self._transport(name) for name in names}
        # All are waited for, also when one fails: what was opened has to be known to be closed.
        opened = await asyncio.gather(*(self._base_url(name) for name in names), return_exceptions=True)
        for result in opened:
            if isinstance(result, BaseException):
                raise result
        providers = {
            name: build_provider(name, self._config.providers[name], str(base_url), self._environment, transports[name])
            for name, base_url in zip(names, opened, strict=True)
        }
        return build_backends(self._config, providers)

    async def _transport(self, name: str) -> httpx2.AsyncBaseTransport:
        """Return what carries requests to a provider: one for all, and one for each proxy."""
        config = self._config.providers[name]
        proxy = None if isinstance(config, LocalConfig) else config.proxy
        address = proxy.get_secret_value() if proxy else None
        key = ("transport", address)

        async def open_it() -> httpx2.AsyncBaseTransport:
            try:
                return open_transport(address)
            except ValueError as error:
                said = "is no address of a proxy: write http://HOST:PORT or https://HOST:PORT"
                raise self._files.document.error(("providers", name, "proxy"), said) from error

        transport = await self._resources.acquire(key, open_it)
        self._held.append(key)
        return transport

    async def callers(self, link: Link | None) -> Callers:
        """Open the store of virtual keys, and what verifies tokens, where the configuration has them."""
        ring, tokens = await self._ring(link), await self._tokens()
        return build_callers(self._config, ring, tokens, admin_key_of(self._config, self._environment))

    async def _ring(self, link: Link | None) -> KeyRing | None:
        if (settings := self._config.keys) is None:
            return None
        key = ("keys", settings)

        async def open_it() -> KeyRing:
            try:
                ring = await open_ring(settings, self._files.path.parent, link)
            except KeysAway as error:
                raise self._files.document.error(("keys",), str(error)) from error
            await ring.watch()
            return ring

        ring = await self._resources.acquire(key, open_it)
        self._held.append(key)
        return ring

    async def _tokens(self) -> Tokens | None:
        if (settings := self._config.jwt) is None:
            return None
        key = ("jwt", settings.model_dump_json())

        async def open_it() -> Tokens:
            # Nobody else pays for what verifies signatures.
            opening = import_module("gateway.identity.opening")
            try:
                tokens: Tokens = await opening.open_tokens(settings, self._files.path.parent)
            except JwksError as error:
                raise self._files.document.error(("jwt", "jwks_file"), str(error)) from error
            return tokens

        tokens = await self._resources.acquire(key, open_it)
        self._held.append(key)
        return tokens

    async def _base_url(self, name: str) -> str:
        """Return where a provider is; a local model is started for it."""
        config = self._config.providers[name]
        if not isinstance(config, LocalConfig):
            return config.base_url or VENDORS[config.vendor].base_url or ""
        key = ("local", config)

        async def start() -> LocalServer:
            server = LocalServer(local_model(config, self._files.path.parent))
            try:
                await server.start()
            except LocalError as error:
                raise self._files.document.error(("providers", name), str(error)) from error
            return server

        server = await self._resources.acquire(key, start)
        self._held.append(key)
        return server.base_url


def local_model(config: LocalConfig, folder: Path) -> LocalModel:
    """Return the settings of a local model; a path is relative to the configuration's folder."""
    weights = str(folder / config.weights) if config.weights.endswith(".gguf") else config.weights
    return LocalModel(
        weights=weights,
        sha256=config.sha256,
        threads=config.threads,
        parallel=config.parallel,
        context_tokens=config.context_tokens,
        max_completion_tokens=config.max_completion_tokens,
    )
