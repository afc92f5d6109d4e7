"""What a request may not exceed: bounds that a policy, a key and the caller set, each of which can only tighten."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constraints:
    """Bounds on one request.

    `quality_weight` is where the caller turns the dial (None: where the policy has it). `max_cost_usd` is what an
    answer may be expected to cost, `max_latency_s` how long it may take, `task_budget_usd` what all requests of the
    session may cost, where the policy bounds that. `allow` names the models that may answer
    (None: any), `deny` those that may not. `data_classes` are claims of how confidential the request is: the highest
    holds.
    """

    quality_weight: float | None = None
    max_cost_usd: float | None = None
    max_latency_s: float | None = None
    allow: frozenset[str] | None = None
    deny: frozenset[str] = frozenset()
    data_classes: frozenset[str] = frozenset()
    task_budget_usd: float | None = None

    def tightened(self, by: Constraints) -> Constraints:
        """Return what satisfies both; the dial, which knows no tighter, stands where the other has turned it."""
        if by is UNBOUNDED:
            return self
        if self is UNBOUNDED:
            return by
        return Constraints(
            quality_weight=self.quality_weight if by.quality_weight is None else by.quality_weight,
            max_cost_usd=_lower(self.max_cost_usd, by.max_cost_usd),
            max_latency_s=_lower(self.max_latency_s, by.max_latency_s),
            allow=_common(self.allow, by.allow),
            deny=self.deny | by.deny,
            data_classes=self.data_classes | by.data_classes,
            task_budget_usd=_lower(self.task_budget_usd, by.task_budget_usd),
        )


#: No bound at all.
UNBOUNDED = Constraints()


def _lower(one: float | None, other: float | None) -> float | None:
    given = [bound for bound in (one, other) if bound is not None]
    return min(given) if given else None


def _common(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
