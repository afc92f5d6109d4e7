"""Which model next, or stop: whichever is expected to gain most for its cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.gain import expected_gain
from routers.plans.around import asking, checked, informed
from routers.plans.checking import Checking
from routers.types import Finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from routers.types import Answer, Call, Candidate, Context, Gate, Plan, Router


class CascadeRouting(Checking):
    """Begin with the router's draw; go on with the candidate of the greatest expected gain, while there is one.

    The gain of a candidate is that of the better of two answers over the one at hand, whose chance to be good is the
    gate's, times `quality_value_usd`, less what it is expected to cost. An answer after which nothing more could be
    gained is the last: it is taken, and relayed as it comes. A threshold cascade is the special case in
    which the costs of what follows do not count.

    Parameters: `gate`; `router`, which must expect rewards; `quality_value_usd`, what a perfect rather than a useless
    answer is worth; `max_steps`.

    >>> from routers.checks.plays import asked, expecting
    >>> from routers.gates.wellformed import Wellformed
    >>> asked(CascadeRouting(Wellformed(), expecting(), quality_value_usd=1.0), text="")
    [['small'], ['new'], ['medium']]
    >>> asked(CascadeRouting(Wellformed(), expecting(), quality_value_usd=0.0001), text="")
    [['small']]

    Dekoninck et al., "A Unified Approach to Routing and Cascading for LLMs" (https://arxiv.org/abs/2410.10347).
    """

    def __init__(self, gate: Gate, router: Router, quality_value_usd: float = 0.05, max_steps: int = 3) -> None:
        super().__init__(router, gate)
        if quality_value_usd < 0 or max_steps < 1:
            raise ValueError(f"{quality_value_usd=} must not be negative, and {max_steps=} at least 1")
        self.quality_value_usd, self.max_steps = quality_value_usd, max_steps

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Ask one candidate after the other, until none is worth it."""
        drawn = self.first(context, candidates, rng)
        if drawn is None:
            return Finish(None, "the router of the cascade refuses")
        call, asked = drawn, set[str]()
        best: Answer | None = None
        chance = 0.0
        while True:
            asked.add(call.candidates[0].model)
            left = [one for one in candidates if one.model not in asked] if len(asked) < self.max_steps else []
            sure = not any(self._gain(drawn, one, chance) > 0 for one in left)
            (answer,) = yield checked(call, self.gate, stream=sure)
            if sure:
                return Finish(answer if answer.error is None or best is None else best)
            found = (
                0.0
                if answer.error is not None
                else (yield from self.gate.check(informed(context, drawn, answer), answer, candidates))
            )
            if best is None or found > chance:
                best, chance = answer, found
            following = max(left, key=lambda one: self._gain(drawn, one, chance))
            if self._gain(drawn, following, chance) <= 0:
                return Finish(best)
            call = asking(drawn, following, why=f"cascade_routing step={len(asked)}")

    def _gain(self, drawn: Call, candidate: Candidate, chance: float) -> float:
        """Return the expected gain in USD, less the cost; of a candidate without an estimate, none."""
        expected = drawn.estimates.get(candidate.model)
        if expected is None:
            return 0.0
        gain = expected_gain(expected.mean, expected.std, chance)
        return gain * self.quality_value_usd - drawn.expected_cost_usd.get(candidate.model, 0.0)
