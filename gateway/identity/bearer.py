"""What the claims of a token give access to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.callers import Access
from gateway.constraints import Constraints
from gateway.errors import Unauthorized
from gateway.identity.claims import read, texts
from gateway.keys.errors import NotPermitted
from gateway.signals.base import Caller

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Characters at most of what rules and the log see of a bearer.
MAX_TEXT: Final = 256


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """In which claims a token says who its bearer is and what that allows; None where in none."""

    user: str = "sub"
    team: str | None = None
    role: str | None = None
    tags: str | None = None
    models: str | None = None
    policies: str | None = None


def access_of(claims: Mapping[str, Any], names: ClaimNames) -> Access:
    """Return what a token gives access to; where it does not say which models or policies it allows, it allows none.

    Raises `Unauthorized` where it names no user, or what cannot be a name, and `NotPermitted` where it has several
    teams or roles.
    """
    user = _one(claims, names.user)
    if not user:
        raise Unauthorized(f"The token names no user (claim {names.user!r}).")
    tags = () if names.tags is None else tuple(_several(claims, names.tags))
    caller = Caller(user, _one(claims, names.role), _one(claims, names.team), tags)
    allow = None if names.models is None else frozenset(_several(claims, names.models))
    policies = None if names.policies is None else frozenset(_several(claims, names.policies))
    return Access(caller, Constraints(allow=allow), names=policies, user=user)


def _one(claims: Mapping[str, Any], name: str | None) -> str:
    """Return the only text of a claim, empty where it is absent or has no name."""
    found = () if name is None else texts(read(claims, name))
    if len(found) > 1:
        raise NotPermitted(f"The token's claim {name!r} has several values where one is expected.")
    return _printable(found[0], name) if found else ""


def _several(claims: Mapping[str, Any], name: str) -> list[str]:
    """Return a claim's texts; one text may be several between spaces, as in `scope`."""
    value = read(claims, name)
    return [_printable(text, name) for text in (value.split() if isinstance(value, str) else texts(value))]


def _printable(text: str, name: str | None) -> str:
    if len(text) > MAX_TEXT or not text.isprintable():
        raise Unauthorized(f"The token's claim {name!r} holds a text that is too long, or control characters.")
    return text
