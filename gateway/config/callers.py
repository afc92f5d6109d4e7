"""Turns callers as written into keys and what they give access to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.callers import Access, Callers
from gateway.constraints import Constraints
from gateway.signals.base import Caller

if TYPE_CHECKING:
    from gateway.config.models import CallerConfig, GatewayConfig


def build_callers(config: GatewayConfig) -> Callers:
    """Return who may call: those with a key of their own, and whoever shows one of the server's."""
    named = {caller.key.get_secret_value(): _access(name, caller) for name, caller in config.callers.items()}
    return Callers({key: Access() for key in config.server.keys} | named)


def _access(name: str, config: CallerConfig) -> Access:
    constraints = Constraints(
        max_cost_usd=config.max_cost_usd,
        allow=None if config.allow_models is None else frozenset(config.allow_models),
        deny=frozenset(config.deny_models),
        data_classes=frozenset() if config.data_class is None else frozenset({config.data_class}),
    )
    return Access(Caller(name, config.role, config.team, config.tags), constraints, debug=config.debug)
