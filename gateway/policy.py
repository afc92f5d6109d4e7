"""Policies: what a client may name as `model`, and who chooses for it.

A model's own name is a policy too: one candidate, taken with certainty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import ModelNotFound, RequestError
from routers.fixed import Fixed
from routers.types import Dialled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.types import Timeouts
    from routers.types import Candidate, Router

#: The dial by name: its two ends.
DIAL = {"cheap": 0.0, "best": 1.0}
_NUMBER = re.compile(r"[0-9]*\.?[0-9]+")


@dataclass(frozen=True, slots=True)
class Policy:
    """A pool, a router over it, and what to do when its choice fails.

    `digest` identifies the policy as written and the learned state in force. `attempts` of None means: each
    candidate once. `fallback` of None means: the rest of the pool, likeliest first.
    """

    name: str
    description: str
    pool: tuple[Candidate, ...]
    router: Router
    fallback: tuple[str, ...] | None
    timeouts: Timeouts
    attempts: int | None
    digest: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The policy that a request is under, and its router, perhaps with the dial turned."""

    policy: Policy
    router: Router


@dataclass(frozen=True, slots=True)
class Policies:
    """All that clients may name: policies first, then models."""

    policies: Mapping[str, Policy]
    models: Mapping[str, Candidate]
    #: For models that are asked by their own name.
    timeouts: Timeouts

    def resolve(self, name: str) -> Resolved:
        """Return what `auto`, `auto:cheap`, `auto:0.3` or a model's own name stands for.

        Raises `ModelNotFound`, or `RequestError` where the dial is out of range or the policy has none.
        """
        if (policy := self.policies.get(name)) is not None:
            return Resolved(policy, policy.router)
        if (candidate := self.models.get(name)) is not None:
            return Resolved(_direct(candidate, self.timeouts), Fixed(candidate.model))
        base, colon, dial = name.rpartition(":")
        if colon and (policy := self.policies.get(base)) is not None:
            return Resolved(policy, _turned(policy, dial))
        raise ModelNotFound(
            f"The model {name!r} does not exist: neither a policy nor a model has this name. "
            f"Known: {', '.join([*self.policies, *self.models])}.",
            param="model",
        )


def _direct(candidate: Candidate, timeouts: Timeouts) -> Policy:
    return Policy(
        name=candidate.model,
        description="",
        pool=(candidate,),
        router=Fixed(candidate.model),
        fallback=(),
        timeouts=timeouts,
        attempts=None,
        digest="",
    )


def _turned(policy: Policy, dial: str) -> Router:
    weight = DIAL.get(dial, float(dial) if _NUMBER.fullmatch(dial) else None)
    if weight is None or weight > 1:
        raise RequestError(
            f"The dial {dial!r} of policy {policy.name!r} is none: take 'cheap', 'best', or a number from 0 "
            "(cheapest) to 1 (best).",
            param="model",
            code="invalid_dial",
        )
    if not isinstance(policy.router, Dialled):
        raise RequestError(
            f"The policy {policy.name!r} has no dial: its router does not weigh quality against cost.",
            param="model",
            code="invalid_dial",
        )
    return policy.router.with_quality_weight(weight)
