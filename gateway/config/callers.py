"""Turns callers as written into keys and what they give access to."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from gateway.callers import Access, Callers
from gateway.config.loader import did_you_mean
from gateway.config.quotas import build_quotas
from gateway.constraints import Constraints
from gateway.identity.addresses import url_problem
from gateway.signals.base import Caller

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gateway.config.files import PolicyFile
    from gateway.config.loader import Document
    from gateway.config.models import CallerConfig, GatewayConfig
    from gateway.identity.tokens import Tokens
    from gateway.keys.ring import KeyRing

#: Names the admin key where the configuration does not.
ADMIN_VARIABLE: Final = "POINTSMAN_ADMIN_KEY"
#: Characters of an admin key at least.
ADMIN_KEY_MIN: Final = 16


def build_callers(
    config: GatewayConfig, ring: KeyRing | None = None, tokens: Tokens | None = None, admin_key: str = ""
) -> Callers:
    """Return who may call: those with a key of their own, and whoever shows one of the server's.

    `ring` has the virtual keys, `tokens` tell who shows a token.
    """
    unnamed = {key: Access(shown=sha256(key.encode()).hexdigest()) for key in config.server.keys}
    named = {caller.key.get_secret_value(): _access(name, caller) for name, caller in config.callers.items()}
    return Callers(unnamed | named, ring, tokens, admin_key)


def admin_key_of(config: GatewayConfig, environment: Mapping[str, str]) -> str:
    """Return the admin key, empty where there is none."""
    written = config.server.admin_key
    return environment.get(ADMIN_VARIABLE, "") if written is None else written.get_secret_value()


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
    yield from _wrong_jwt(config, document)


def wrong_access(
    config: GatewayConfig, document: Document, policies: tuple[PolicyFile, ...], environment: Mapping[str, str]
) -> Iterator[str]:
    """Yield a line for each name that a caller may ask for and that nothing has, and for a bad admin key."""
    known = {*config.models, *(policy.config.name for policy in policies)}
    for name, caller in config.callers.items():
        for n, asked in enumerate(caller.policies or ()):
            if asked not in known:
                hint = did_you_mean(asked, known)
                yield document.at(("callers", name, "policies", n), f"no policy or model {asked!r}; {hint}")
    yield from _wrong_admin(config, document, environment)


def _wrong_admin(config: GatewayConfig, document: Document, environment: Mapping[str, str]) -> Iterator[str]:
    key = admin_key_of(config, environment)
    if key and len(key) < ADMIN_KEY_MIN:
        yield document.at(("server",), f"{ADMIN_VARIABLE} has {len(key)} characters: give at least {ADMIN_KEY_MIN}")
    if key and key in _shown_by_callers(config):
        yield document.at(("server", "admin_key"), "is a caller's key too: callers could make keys of their own")


def _shown_by_callers(config: GatewayConfig) -> Collection[str]:
    return {*config.server.keys, *(caller.key.get_secret_value() for caller in config.callers.values())}


def _wrong_jwt(config: GatewayConfig, document: Document) -> Iterator[str]:
    """Yield what keeps tokens from being verified: two sources of keys, and addresses that are not safe to ask."""
    if (jwt := config.jwt) is None:
        return
    if jwt.jwks_url is not None and jwt.jwks_file is not None:
        yield document.at(("jwt", "jwks_file"), "is a second source of keys beside jwks_url: remove one")
    elif jwt.jwks_url is not None:
        if problem := url_problem(jwt.jwks_url):
            yield document.at(("jwt", "jwks_url"), problem)
    elif jwt.jwks_file is None and (problem := url_problem(jwt.issuer)):
        yield document.at(("jwt", "issuer"), f"{problem}; or set jwks_url or jwks_file")


def _access(name: str, config: CallerConfig) -> Access:
    constraints = Constraints(
        max_cost_usd=config.max_cost_usd,
        allow=None if config.allow_models is None else frozenset(config.allow_models),
        deny=frozenset(config.deny_models),
        data_classes=frozenset() if config.data_class is None else frozenset({config.data_class}),
    )
    return Access(
        caller=Caller(name, config.role, config.team, config.tags),
        constraints=constraints,
        debug=config.debug,
        names=None if config.policies is None else frozenset(config.policies),
        key=f"callers.{name}",
        user=config.user,
        priority=config.priority,
        own=build_quotas(config.quotas),
        explores=config.exploration,
    )
