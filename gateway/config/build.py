"""Turns a configuration into what serves requests. The only place, with `runtime`, that knows concrete classes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING

import httpx2

from gateway.config.loader import did_you_mean
from gateway.config.models import LocalConfig
from gateway.dispatch import Backend
from gateway.policy import Policies, Policy
from gateway.pricing import Listing, flat, look_up
from gateway.runtime import Runtime
from gateway.signals.embedding import Embedder
from gateway.signals.encoder import EncoderError, open_encoder
from gateway.signals.extract import PROVIDED, Signals
from providers.adapters.openai import OpenAIAdapter
from providers.local import LocalError, LocalModel, LocalServer
from providers.provider import Provider
from providers.types import Target, Timeouts
from providers.vendors import LOCAL, VENDORS
from routers.options import ComponentError
from routers.registry import build_router
from routers.state import read_manifest
from routers.stateless import StatelessRouter
from routers.types import Candidate, StateError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from pathlib import Path

    from gateway.config.files import Files, PolicyFile
    from gateway.config.models import EndpointConfig, GatewayConfig, LimitsConfig, ModelConfig, ProviderConfig
    from gateway.metrics import Metrics
    from gateway.pricing import Tariff
    from gateway.resources import Resources
    from gateway.signals.encoder import Encoder
    from providers.vendors import Vendor
    from routers.types import Router


def build_candidates(config: GatewayConfig) -> dict[str, tuple[Candidate, Tariff | None]]:
    """Return each model as a candidate, with what it costs (None: unknown)."""
    return {name: _candidate(config, name, model) for name, model in config.models.items()}


def _candidate(config: GatewayConfig, name: str, model: ModelConfig) -> tuple[Candidate, Tariff | None]:
    provider = config.providers[model.provider]
    if isinstance(provider, LocalConfig):
        listing = Listing(None, provider.context_tokens)
    else:
        listing = look_up(VENDORS[provider.vendor].catalogue, model.name or name)
    tariff = flat(model.price) if model.price else listing.tariff
    window = model.context_window or listing.context_window
    return Candidate(name, tariff.price if tariff else None, window), tariff


def build_new_router(policy: PolicyFile) -> Router:
    """Return a policy's router, which has learned nothing yet. Raises `ConfigError` where it cannot be built."""
    try:
        router = build_router(policy.config.router)
    except ComponentError as error:
        raise policy.document.error(tuple(error.path.split(".")), error.problem) from error
    if missing := router.requires - PROVIDED:
        raise policy.document.error(("router",), f"needs the signals {sorted(missing)}, which nothing provides")
    return router


def build_router_of(policy: PolicyFile) -> Router:
    """Return a policy's router, with what it has learned so far, if anything.

    Raises `ConfigError` where the router cannot be built, or its state cannot be read.
    """
    router = build_new_router(policy)
    if policy.state.exists():
        try:
            router.load(policy.state)
        except StateError as error:
            raise policy.document.error(("router",), str(error)) from error
    return router


def build_policies(files: Files, encoder_digest: str | None) -> Policies:
    """Return all policies with their routers.

    Raises `ConfigError`, also where learned state was made with another encoder than the one in use.
    """
    candidates = {name: candidate for name, (candidate, _) in build_candidates(files.config).items()}
    limits = files.config.limits
    policies = {
        policy.config.name: _policy(policy, candidates, policy.config.limits or limits, encoder_digest)
        for policy in files.policies
    }
    return Policies(policies, candidates, _timeouts(limits))


def _timeouts(limits: LimitsConfig) -> Timeouts:
    return Timeouts(limits.connect_s, limits.ttft_s, limits.gap_s, limits.timeout_s)


def _policy(
    file: PolicyFile, candidates: Mapping[str, Candidate], limits: LimitsConfig, encoder_digest: str | None
) -> Policy:
    config = file.config
    router = build_router_of(file)
    if "embedding" in router.requires:
        _check_encoder(file, encoder_digest)
    pool = tuple(candidates[name] for name in config.pool or candidates)
    if isinstance(router, StatelessRouter) and (strangers := router.named - {candidate.model for candidate in pool}):
        stranger = min(strangers)
        hint = did_you_mean(stranger, [candidate.model for candidate in pool])
        raise file.document.error(("router",), f"{stranger!r} is not in the pool; {hint}")
    return Policy(
        name=config.name,
        description=config.description,
        pool=pool,
        router=router,
        fallback=config.fallback,
        timeouts=_timeouts(limits),
        attempts=limits.attempts,
        digest=_digest(file),
    )


def _check_encoder(file: PolicyFile, digest: str | None) -> None:
    if not file.state.exists():
        return
    fitted_with = read_manifest(file.state).encoder
    if fitted_with != digest:
        raise file.document.error(
            ("router",),
            f"the state in {file.state} was fitted with another encoder ({fitted_with}) than the one in use "
            f"({digest}): run `pointsman train` again, or set signals.embedding.model back",
        )


def _digest(file: PolicyFile) -> str:
    """Return the sha256 of a policy as written, and of its learned state."""
    written = json.dumps(file.document.data, sort_keys=True, default=str).encode()
    learned = read_manifest(file.state).sha256 if file.state.exists() else ""
    return hashlib.sha256(written + learned.encode()).hexdigest()


def needs_encoder(files: Files) -> bool:
    """Tell whether some policy's router reads embeddings."""
    return any("embedding" in build_new_router(policy).requires for policy in files.policies)


def open_encoder_of(files: Files) -> Encoder:
    """Open the sentence encoder that the configuration names. Raises `ConfigError`."""
    settings = files.config.signals.embedding
    try:
        return open_encoder(settings.model, threads=settings.threads)
    except EncoderError as error:
        raise files.document.error(("signals", "embedding", "model"), str(error)) from error


def encoder_digest(files: Files) -> str | None:
    """Return the digest of the sentence encoder, if one is needed. Raises `ConfigError`."""
    return open_encoder_of(files).digest if needs_encoder(files) else None


async def open_runtime(files: Files, environment: Mapping[str, str], resources: Resources, metrics: Metrics) -> Runtime:
    """Open what the configuration names, and return it ready to serve.

    Raises `ConfigError`; then nothing stays open.
    """
    opening = _Opening(files, environment, resources)
    try:
        embedder = await opening.embedder()
        policies = build_policies(files, embedder.encoder.digest if embedder else None)
        backends = await opening.backends()
    except BaseException:
        await opening.aclose()
        raise
    signals = Signals(embedder, files.config.signals.deadline_ms / 1000, metrics)
    return Runtime(files.config, files.digest, policies, backends, signals, opening.aclose)


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
        return {
            name: Backend(candidate, providers[model.provider], Target(model.name or name), tariff)
            for name, model in self._config.models.items()
            for candidate, tariff in (_candidate(self._config, name, model),)
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
        headers |= {header: value.get_secret_value() for header, value in config.headers.items()}
    adapter = OpenAIAdapter(stream_options=vendor.stream_options)
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
