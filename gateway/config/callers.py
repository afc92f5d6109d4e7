"""Turns callers as written into keys and what they give access to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.callers import Access, Callers
from gateway.config.loader import did_you_mean
from gateway.constraints import Constraints
from gateway.signals.base import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.loader import Document
    from gateway.config.models import CallerConfig, GatewayConfig


def build_callers(config: GatewayConfig) -> Callers:
    """Return who may call: those with a key of their own, and whoever shows one of the server's."""
    named = {caller.key.get_secret_value(): _access(name, caller) for name, caller in config.callers.items()}
    return Callers({key: Access() for key in config.server.keys} | named)


def wrong_callers(config: GatewayConfig, document: Document) -> Iterator[str]:
    """Yield a line for each model that a caller names and that does not exist, and for each key that two have."""
    holders: dict[str, str] = dict.fromkeys(config.server.keys, "server.api_keys")
    for name, caller in config.callers.items():
        key = caller.key.get_secret_value()
        if (holder := holders.setdefault(key, f"callers.{name}")) != f"callers.{name}":
            yield document.at(("callers", name, "key"), f"is the key of {holder} too: nobody could tell who calls")
        for option in ("allow_models", "deny_models"):
            for n, model in enumerate(getattr(caller, option) or ()):
                if model not in config.models:
                    hint = did_you_mean(model, config.models)
                    yield document.at(("callers", name, option, n), f"{model!r} is not in models; {hint}")


def _access(name: str, config: CallerConfig) -> Access:
    constraints = Constraints(
        max_cost_usd=config.max_cost_usd,
        allow=None if config.allow_models is None else frozenset(config.allow_models),
        deny=frozenset(config.deny_models),
        data_classes=frozenset() if config.data_class is None else frozenset({config.data_class}),
    )
    return Access(Caller(name, config.role, config.team, config.tags), constraints, debug=config.debug)
