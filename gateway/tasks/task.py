"""A task's money: what a session may spend, as one of its steps finds it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from gateway.eligibility import WINDOW_TOLERANCE, expected_cost_usd
from gateway.quotas.claims import MOST
from gateway.quotas.types import Quota
from gateway.store.money import from_nanos, to_nanos

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.eligibility import Demand
    from gateway.quotas.ledger import Level
    from gateway.quotas.types import Holder
    from routers.types import Candidate, Feature

#: What becomes of a step that the budget has nothing left for: it is refused, or the cheapest model takes it.
WhenSpent = Literal["refuse", "cheapest"]
#: How the reason begins for which a model that is too dear for what is left is removed.
BUDGET: Final = "budget"


@dataclass(frozen=True, slots=True)
class TaskRules:
    """What a policy lets a session spend.

    `max_usd` is for all of its requests together; `step_tokens` is how long an answer may be whose request does not
    say; `cheaper_from` the share used from which on money is dearer to routers that have a dial (None: never).
    """

    max_usd: Decimal
    step_tokens: int = 4096
    when_spent: WhenSpent = "refuse"
    cheaper_from: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A session's budget, and how much of it is taken: used, or held by steps that are under way.

    `over` says that the budget is used up and the cheapest model takes the step all the same: it is counted, and
    nothing refuses it.
    """

    rules: TaskRules
    quota: Quota
    session: str
    level: Level
    over: bool = False

    @property
    def left(self) -> int:
        """Return the nano-dollars that are left, as far as is known; never less than none."""
        return max(self.quota.amount - self.level.taken, 0)

    @property
    def left_usd(self) -> Decimal:
        """Return the USD that are left, as far as is known."""
        return from_nanos(self.left)

    def holder(self, holder: Holder) -> Holder:
        """Return on whose account a step goes: it is counted for its session, too."""
        quota = replace(self.quota, amount=MOST) if self.over else self.quota
        return replace(holder, session=self.session, own=(*holder.own, quota))

    def demand(self, demand: Demand) -> Demand:
        """Return what a step asks for, with a bound on all that it may cost.

        An answer without a limit gets one; a prompt that was estimated is taken to be longer; and what is left bounds
        the calls of a plan together.
        """
        most = demand.completion_tokens or self.rules.step_tokens
        return replace(
            demand,
            completion_tokens=most,
            most_tokens=most,
            caution=1.0 if demand.exact else WINDOW_TOLERANCE,
        )

    def bounded(self, demand: Demand) -> Demand:
        """Return a demand whose plan takes no more than is left, whatever it calls; where it is over, as it is."""
        if self.over:
            return demand
        most, left = demand.constraints.max_cost_usd, float(self.left_usd)
        bound = left if most is None else min(most, left)
        return replace(demand, constraints=replace(demand.constraints, max_cost_usd=bound))

    def beyond(self, pool: Sequence[Candidate], demand: Demand) -> dict[str, str]:
        """Return the models of a pool for which too little is left, each with the reason."""
        costs = {one.model: expected_cost_usd(one, demand) for one in pool}
        return {
            model: f"{BUDGET}: {_told(cost)}, {self.left_usd.normalize():f} USD are left of the task's"
            for model, cost in costs.items()
            if cost is None or to_nanos(cost) > self.left
        }

    def last_resort(self, pool: Sequence[Candidate], removed: Mapping[str, str], demand: Demand) -> Candidate | None:
        """Return who takes a step that is beyond the budget: the cheapest of those that nothing else speaks against."""
        if self.rules.when_spent == "refuse":
            return None
        costs = {
            one: cost
            for one in pool
            if removed[one.model].startswith(BUDGET) and (cost := expected_cost_usd(one, demand)) is not None
        }
        return min(costs, key=lambda one: (costs[one], one.model), default=None)

    def features(self) -> dict[str, Feature]:
        """Return what routers are told of it."""
        return {"task.left_usd": float(self.left_usd), "task.left_share": self.left / self.quota.amount}

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, for the trace."""
        return {
            "budget_usd": float(from_nanos(self.quota.amount)),
            "left_usd": float(self.left_usd),
            "over": self.over,
        }


def quota_of(rules: TaskRules, policy: str, asked_usd: float | None) -> Quota:
    """Return the quota of a policy's tasks; a request may ask for less than the policy gives, not for more."""
    amount = min(rules.max_usd, Decimal(str(asked_usd))) if asked_usd is not None else rules.max_usd
    # At least one nano-dollar, so that shares of it can be told: nothing can be bought for that.
    return Quota(
        name=f"task of {policy}",
        per="session",
        unit="usd",
        amount=max(to_nanos(amount), 1),
        window=None,
        cheaper_from=rules.cheaper_from,
        own=True,
    )


def _told(cost: Decimal | None) -> str:
    return "its price is unknown" if cost is None else f"{float(cost):.3g} USD may be needed"
