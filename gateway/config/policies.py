"""Turns models and policies as written into candidates, prices and routers with what they have learned."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from gateway.config.loader import did_you_mean
from gateway.config.models import LocalConfig
from gateway.policy import Policies, Policy
from gateway.pricing import Listing, flat, look_up
from gateway.signals.extract import PROVIDED
from providers.types import Timeouts
from providers.vendors import VENDORS
from routers.options import ComponentError
from routers.registry import build_router
from routers.state import read_manifest
from routers.types import Candidate, Naming, StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.files import Files, PolicyFile
    from gateway.config.loader import Place
    from gateway.config.models import GatewayConfig, LimitsConfig, ModelConfig
    from gateway.pricing import Tariff
    from routers.state import Manifest
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
        raise policy.document.error(_place(error.path), error.problem) from error
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


def pool_of(file: PolicyFile, candidates: Mapping[str, Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates that a policy may use: those that it names, else all."""
    return tuple(candidates[name] for name in file.config.pool or candidates)


def _place(path: str) -> Place:
    """Return where in a document the path of a component is: `router.estimator.members[1]` has an index."""
    steps = re.findall(r"\[(\d+)\]|([^.\[\]]+)", path)
    return tuple(int(index) if index else key for index, key in steps)


def _timeouts(limits: LimitsConfig) -> Timeouts:
    return Timeouts(limits.connect_s, limits.ttft_s, limits.gap_s, limits.timeout_s)


def _policy(
    file: PolicyFile, candidates: Mapping[str, Candidate], limits: LimitsConfig, encoder_digest: str | None
) -> Policy:
    config = file.config
    router = build_router_of(file)
    learned = _manifest(file)
    if learned is not None and "embedding" in router.requires:
        _check_encoder(file, learned.encoder, encoder_digest)
    pool = pool_of(file, candidates)
    if isinstance(router, Naming) and (strangers := router.named - {candidate.model for candidate in pool}):
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
        digest=_digest(file, learned),
    )


def _manifest(file: PolicyFile) -> Manifest | None:
    """Return what the learned state says of itself; None where there is none. Raises `ConfigError`."""
    if not file.state.exists():
        return None
    try:
        return read_manifest(file.state)
    except StateError as error:
        raise file.document.error(("router",), str(error)) from error


def _check_encoder(file: PolicyFile, fitted_with: str | None, digest: str | None) -> None:
    if fitted_with != digest:
        raise file.document.error(
            ("router",),
            f"the state in {file.state} was fitted with another encoder ({fitted_with}) than the one in use "
            f"({digest}): run `pointsman train` again, or set signals.embedding.model back",
        )


def _digest(file: PolicyFile, learned: Manifest | None) -> str:
    """Return the sha256 of a policy as written, and of its learned state."""
    written = json.dumps(file.document.data, sort_keys=True, default=str).encode()
    return hashlib.sha256(written + (learned.sha256 if learned else "").encode()).hexdigest()
