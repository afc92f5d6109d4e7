"""What a token claims, checked and read. Pure; the time is a parameter. See RFC 7519, section 4.1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.errors import Unauthorized
from gateway.keys.errors import NotPermitted

if TYPE_CHECKING:
    from datetime import datetime

#: What a claim may be required to be.
Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What tokens must claim: issuer, one of the audiences, and of each required claim the value, or a list with it.

    Clocks may differ by `leeway_s` seconds.
    """

    issuer: str
    audience: frozenset[str]
    leeway_s: float
    required: Mapping[str, Scalar]


def check(claims: Mapping[str, Any], expected: Expected, at: datetime) -> float:
    """Return when a token stops being good, in seconds since 1970, leeway included.

    Raises `Unauthorized` where it is another's, is for others, is not yet good or no longer, and `NotPermitted` where
    a required claim is absent or other.
    """
    if claims.get("iss") != expected.issuer:
        raise Unauthorized("The token was not issued by the identity provider that this gateway trusts (claim 'iss').")
    if expected.audience.isdisjoint(texts(claims.get("aud"))):
        raise Unauthorized("The token is not meant for this gateway (claim 'aud').")
    ends = _moment(claims, "exp")
    if ends is None:
        raise Unauthorized("The token never expires (it has no claim 'exp'), which is not accepted.")
    now, leeway = at.timestamp(), expected.leeway_s
    if now >= ends + leeway:
        raise Unauthorized("The token has expired.")
    if any(now + leeway < (_moment(claims, name) or 0) for name in ("nbf", "iat")):
        raise Unauthorized("The token is not yet valid.")
    for name, value in expected.required.items():
        if not _has(read(claims, name), value):
            raise NotPermitted(f"The token's claim {name!r} does not let its bearer use this gateway.")
    return ends + leeway


def read(claims: Mapping[str, Any], path: str) -> Any:
    """Return the claim of that name, or what a dotted path (`realm_access.roles`) leads to; None where it is absent."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def texts(value: Any) -> tuple[str, ...]:
    """Return a claim's texts: a list's, or one text; what else it may hold is left out."""
    if isinstance(value, str):
        return (value,)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a time, in seconds since 1970; None where it is absent. Raises `Unauthorized` for what is no time."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unauthorized(f"The token's claim {name!r} is no time.")
    return float(value)


def _has(claimed: Any, value: Scalar) -> bool:
    """Tell whether a claim is a value, or a list that holds it; true is not 1."""
    every = claimed if isinstance(claimed, list) else [claimed]
    return any(one == value and isinstance(one, bool) == isinstance(value, bool) for one in every)
