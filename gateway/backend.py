"""A model of the pool: where it is reached, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from routers.efforts import AS_ASKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.changes import Changes
    from gateway.endpoints.balancing import Balance
    from gateway.endpoints.endpoint import Endpoint
    from gateway.pricing import Tariff
    from providers.types import Target
    from routers.types import Candidate


@dataclass(frozen=True, slots=True)
class Backend:
    """A model with its endpoints, which are alike; a tariff of None is unknown.

    `reasons` tells whether the model can be told how much to reason, `balance` which endpoint is asked first,
    `limit` the member by which it is told how long an answer may be, `max_tokens` what its endpoints take there at most
    (None: unknown).
    """

    candidate: Candidate
    endpoints: Sequence[Endpoint]
    tariff: Tariff | None
    reasons: bool = True
    balance: Balance = "latency"
    limit: str = "max_tokens"
    max_tokens: int | None = None

    def target_at(self, endpoint: Endpoint, changes: Changes) -> Target:
        """Return the model as an endpoint knows it, at its own effort, or else that which a rule asks for."""
        if not self.reasons or (changes.effort is None and changes.reasoning is None):
            return endpoint.target
        if self.candidate.effort.reasoning != AS_ASKED.reasoning:
            return endpoint.target
        return replace(endpoint.target, effort=changes.effort, reasoning=changes.reasoning)
