"""Opens what a configuration names: encoder, local models, endpoints."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx2

from gateway.config.callers import build_callers
from gateway.config.candidates import build_candidates
from gateway.config.deciding import build_decider, needs_encoder, open_encoder_of
from gateway.config.models import LocalConfig
from gateway.dispatch import Backend
from gateway.runtime import Runtime
from gateway.signals.embedding import Embedder
from providers.adapters.openai import OpenAIAdapter
from providers.local import LocalError, LocalModel, LocalServer
from providers.provider import Provider
from providers.types import Target
from providers.vendors import LOCAL, VENDORS

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from pathlib import Path

    from gateway.config.files import Files
    from gateway.config.models import EndpointConfig, ModelConfig, ProviderConfig
    from gateway.metrics import Metrics
    from gateway.resources import Resources
    from providers.vendors import Vendor


async def open_runtime(files: Files, environment: Mapping[str, str], resources: Resources, metrics: Metrics) -> Runtime:
    """Open what the configuration names, and return it ready to serve.

    Raises `ConfigError`; then nothing stays open.
    """
    opening = _Opening(files, environment, resources)
    try:
        embedder = await opening.embedder()
        decider = await asyncio.to_thread(build_decider, files, embedder, metrics)
        backends = await opening.backends()
    except BaseException:
        await opening.aclose()
        raise
    return Runtime(files.config, files.digest, decider, build_callers(files.config), backends, opening.aclose)


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
            encoder = await asyncio.to_thread(open_encoder_of, self._files)
            return Embedder(encoder, cache_entries=settings.cache_entries)

        embedder = await self._resources.acquire(key, open_it)
        self._held.append(key)
        return embedder

    async def backends(self) -> dict[str, Backend]:
        """Open every provider that a model names, local models side by side."""
        names = sorted({model.provider for model in self._config.models.values()})
        client = await self._resources.acquire("client", _open_client)
        self._held.append("client")
        # All are waited for, also when one fails: what was opened has to be known to be closed.
        opened = await asyncio.gather(*(self._base_url(name) for name in names), return_exceptions=True)
        for result in opened:
            if isinstance(result, BaseException):
                raise result
        providers = {
            name: _provider(name, self._config.providers[name], str(base_url), self._environment, client)
            for name, base_url in zip(names, opened, strict=True)
        }
        models = self._config.models
        return {
            name: Backend(
                candidate,
                providers[models[name].provider],
                Target(models[name].name or name),
                tariff,
                reasons=_reasons(models[name]),
            )
            for name, (candidate, tariff) in build_candidates(self._config).items()
        }

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


def _reasons(model: ModelConfig) -> bool:
    """Tell whether a model may be told how much to reason: those may of which nothing else is known."""
    return model.capabilities is None or "reasoning_effort" in model.capabilities


class _Client(httpx2.AsyncClient):
    """The HTTP client that all providers share; requests set their own time limits."""

    def __init__(self) -> None:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=256, keepalive_expiry=30)
        # What runs on this machine is not reached through a proxy, whatever the environment says.
        direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
        super().__init__(limits=limits, timeout=None, follow_redirects=False, mounts=direct)


async def _open_client() -> _Client:
    return _Client()


def _provider(
    name: str, config: ProviderConfig, base_url: str, environment: Mapping[str, str], client: httpx2.AsyncClient
) -> Provider:
    vendor = LOCAL if isinstance(config, LocalConfig) else VENDORS[config.vendor]
    headers = {} if vendor.keep_alive else {"connection": "close"}
    if not isinstance(config, LocalConfig):
        headers |= _authentication(vendor, config, environment)
        headers |= {header.lower(): value.get_secret_value() for header, value in config.headers.items()}
    adapter = OpenAIAdapter(stream_options=vendor.stream_options, reasoning=vendor.reasoning)
    return Provider(name, base_url=base_url, headers=headers, adapter=adapter, client=client)


def _authentication(vendor: Vendor, config: EndpointConfig, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the header that carries the endpoint's key, the one written or its vendor's variable; perhaps none."""
    variable = environment.get(vendor.key_variable) if vendor.key_variable else None
    key = config.api_key.get_secret_value() if config.api_key else variable
    if not key:
        return {}
    return {"authorization": f"Bearer {key}"} if vendor.key_header == "authorization" else {"api-key": key}


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
