"""What a virtual key gives access to, in the terms in which requests are decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.callers import Access
from gateway.constraints import Constraints
from gateway.signals.base import Caller

if TYPE_CHECKING:
    from gateway.keys.key import VirtualKey


def access_to(key: VirtualKey) -> Access:
    """Return what a key gives access to, while it is good."""
    scopes = key.scopes
    constraints = Constraints(
        max_cost_usd=scopes.max_cost_usd,
        allow=None if scopes.models is None else frozenset(scopes.models),
        deny=frozenset(scopes.deny_models),
        data_classes=frozenset() if scopes.data_class is None else frozenset({scopes.data_class}),
    )
    return Access(
        caller=Caller(key.name, scopes.role, scopes.team, scopes.tags),
        constraints=constraints,
        debug=scopes.debug,
        names=None if scopes.policies is None else frozenset(scopes.policies),
        key=key.id,
        user=scopes.user,
        quotas=scopes.quotas,
    )
