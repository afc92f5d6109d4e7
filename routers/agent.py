"""A small model for most of an agent's steps, a large one for the hard ones, as far as the task's budget goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from routers.stateless import Stateless, draw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from routers.types import Candidate, Context, Feature, Plan

#: How much each cue of a step speaks for the large model, by itself: 1 would always do.
CUES: Final[Mapping[str, float]] = {
    "opening": 0.6,
    "failed": 0.7,
    "repeated": 0.7,
    "long_result": 0.3,
    "many_tools": 0.2,
}
#: So many tools are many.
MANY: Final = 12


class Agent(Stateless):
    """Choose between two models, step by step, by what the step looks like and what is left of the task's budget.

    Each cue that a step shows speaks for the large model, and they add up as independent reasons do: the need is
    `1 - product(1 - weight)`. A step is an `opening` where the user spoke last: there a plan is made. A tool has
    `failed`, or the same call was `repeated`, once for each time in a row. The results to read are a `long_result`
    from `long_tokens` on, and there are `many_tools` from a dozen on. The large model takes a step whose need
    is at least `threshold`; as the budget (the features `task.*` of the gateway) drains, that rises to 1.

    A cue that is not there speaks for neither. Where one of the two is no candidate, the other takes the step.

    Parameters: `small` and `large`, models; `threshold`; `cues`, weights in [0, 1] by name, for those that are to count
    otherwise; `long_tokens`; `floor`, the least probability of either, for the log to be learned from.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> agent, pool = Agent("small", "large"), [Candidate("small"), Candidate("large")]
    >>> stuck = Context("", 9, features={"step.after": "tool", "step.failures": 1.0})
    >>> next(agent.plan(stuck, pool, Random(0))).candidates[0].model
    'large'
    >>> poor = Context("", 9, features={"step.after": "tool", "step.failures": 1.0, "task.left_share": 0.3})
    >>> next(agent.plan(poor, pool, Random(0))).candidates[0].model
    'small'

    The choice of each step under one budget after "Budget-aware agentic routing" (https://arxiv.org/abs/2602.21227);
    the cues after Ares (https://arxiv.org/abs/2603.07915): steps with errors or backtracking need more.
    """

    kind = "agent"
    requires = frozenset({"agent", "step"})

    def __init__(
        self,
        small: str,
        large: str,
        threshold: float = 0.5,
        cues: Mapping[str, float] | None = None,
        *,
        long_tokens: int = 2000,
        floor: float = 0.0,
    ) -> None:
        if unknown := sorted((cues or {}).keys() - CUES.keys()):
            raise ValueError(f"cues has no {', '.join(unknown)}; known are {', '.join(CUES)}")
        if not all(0 <= share <= 1 for share in (threshold, *(cues or {}).values())) or not 0 <= floor <= 0.5:
            raise ValueError(f"{threshold=} and cues={dict(cues or {})} must be in [0, 1], and {floor=} in [0, 0.5]")
        if small == large:
            raise ValueError(f"{small=} and {large=} must be two models")
        self.small, self.large, self.threshold, self.cues = small, large, threshold, cues
        self.long_tokens, self.floor = long_tokens, floor

    @property
    def named(self) -> frozenset[str]:
        """Return the two models."""
        return frozenset({self.small, self.large})

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Make one call."""
        need, least = self.need(context.features), self.least(context.features)
        large = 1 - self.floor if need >= least else self.floor
        weights = {self.small: 1 - large, self.large: large}
        known = [one for one in candidates if one.model in weights]
        if len(known) == 1:
            weights = {known[0].model: 1.0}
        return (yield from draw(candidates, weights, rng, f"agent need={need:.2f} least={least:.2f}"))

    def need(self, features: Mapping[str, Feature]) -> float:
        """Return how much a step calls for the large model, from 0 to 1."""
        weights, without = {**CUES, **(self.cues or {})}, 1.0
        for cue, times in self._seen(features).items():
            without *= (1 - weights[cue]) ** times
        return 1 - without

    def least(self, features: Mapping[str, Feature]) -> float:
        """Return the need from which on the large model takes a step: the more, the less money is left."""
        return 1 - (1 - self.threshold) * min(max(_number(features, "task.left_share", 1.0), 0.0), 1.0)

    def _seen(self, features: Mapping[str, Feature]) -> dict[str, float]:
        """Return how often each cue is seen."""
        return {
            "opening": float(features.get("step.after") == "user"),
            "failed": _number(features, "step.failures"),
            "repeated": _number(features, "step.repeats"),
            "long_result": float(_number(features, "step.result_tokens") >= self.long_tokens),
            "many_tools": float(_number(features, "agent.tools_offered") >= MANY),
        }


def _number(features: Mapping[str, Feature], name: str, default: float = 0.0) -> float:
    value = features.get(name, default)
    return value if isinstance(value, float) else default
