"""What is counted of a decision: the reward of the model that answered, and how far it is trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.observations import Observations
from routers.types import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from gateway.events import Decision, MadeCall
    from gateway.learning.rewards import Reward
    from gateway.store.base import LoggedEvent


@dataclass(frozen=True, slots=True)
class Credit:
    """What was counted of a decision, besides what the log says of it for good. A value of NaN: nobody rated it."""

    value: float = math.nan
    weight: float = 0.0

    @classmethod
    def of(cls, reward: Reward | None) -> Credit:
        """Return what a reward counts as."""
        return cls() if reward is None else cls(reward.value, reward.weight)

    def same(self, other: Credit | None) -> bool:
        """Tell whether counting either is counting the other."""
        if other is None:
            return False
        unrated = math.isnan(self.value) and math.isnan(other.value)
        return self.weight == other.weight and (unrated or self.value == other.value)


@dataclass(frozen=True, slots=True)
class Row:
    """A decision that somebody answered, and what is counted of it."""

    event: LoggedEvent
    credit: Credit


def answered(event: LoggedEvent) -> bool:
    """Tell whether some model answered, well or not."""
    return event.outcome is not None and event.outcome.served_by is not None


def counted(event: LoggedEvent) -> bool:
    """Tell whether what came of a decision is counted of the model that answered.

    It is not where a plan of several calls was begun: who answers is then chosen by what was answered. Of a first model
    that a gate lets through, only the good answers would be seen, and of the next one only hard requests.
    """
    return answered(event) and not event.decision.planned


def served_by(event: LoggedEvent) -> str:
    """Return the model that answered; empty where none did."""
    return (event.outcome.served_by if event.outcome else None) or ""


def observations(rows: Sequence[Row]) -> Observations:
    """Return the rows as a router learns from them.

    Credit goes to the model that answered. Where that is not the one drawn (a fallback, the winner of a race), its
    propensity is NaN: how likely it was to answer depends on how likely the others were to fail, which nobody knows.
    """
    calls = [_call(row.event) for row in rows]
    decisions = [row.event.decision for row in rows]
    actions = [served_by(row.event) for row in rows]
    chances = [
        decision.propensities.get(action, math.nan) if action == decision.chosen else math.nan
        for decision, action in zip(decisions, actions, strict=True)
    ]
    return Observations(
        contexts=[context_of(decision) for decision in decisions],
        actions=actions,
        rewards=np.array([row.credit.value for row in rows], np.float64),
        weights=np.array([row.credit.weight for row in rows], np.float64),
        propensities=np.array(chances, np.float64),
        costs_usd=_column(calls, lambda call: call.cost_usd),
        completion_tokens=_column(calls, lambda call: call.completion_tokens),
        latencies_s=_column(calls, lambda call: call.latency_s if call.error is None else None),
        times=np.array([decision.at.timestamp() for decision in decisions], np.float64),
    )


def context_of(decision: Decision) -> Context:
    """Return what the router went by, as far as the log has it: without the text unless that is stored."""
    tokens = decision.features.get("prompt_tokens", 0.0)
    embedding = None if decision.embedding is None else np.frombuffer(decision.embedding, "<f4").astype(np.float32)
    return Context(
        text=decision.text or "",
        prompt_tokens=int(tokens) if isinstance(tokens, float) else 0,
        embedding=embedding,
        features=decision.features,
    )


def _call(event: LoggedEvent) -> MadeCall:
    """Return the answer's own call: what others took that were asked as well is not the model's."""
    if event.outcome is None or event.outcome.own is None:
        raise ValueError(f"decision {event.decision.id} has no answer yet: nothing is counted of it")
    return event.outcome.own


def _column(calls: Sequence[MadeCall], value: Callable[[MadeCall], Decimal | float | None]) -> np.ndarray:
    found = (value(call) for call in calls)
    return np.array([math.nan if one is None else float(one) for one in found], np.float64)
