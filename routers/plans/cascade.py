"""The cheap ones first, until an answer is good enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.plans.around import asking, checked, informed, ladder_of
from routers.plans.checking import Checking
from routers.types import Finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from routers.types import Call, Candidate, Context, Gate, Plan, Router


class Cascade(Checking):
    """Climb a ladder of candidates, cheapest first, from the one that a router starts with.

    An answer is taken where the gate gives it at least the step's threshold; the last step's is taken in any case, and
    is the only one that can be relayed as it comes. A step is left out where the router does not expect it to answer
    better than the chance that the answer at hand is good, by at least `gain`: who cannot do it either is not asked.

    Parameters: `gate`; `router`, whose draw is the first step; `thresholds` in [0, 1] by step, the last one for all
    that follow; `max_steps`; `gain`.

    >>> from routers.checks.plays import asked, expecting
    >>> from routers.gates.wellformed import Wellformed
    >>> asked(Cascade(Wellformed(), expecting(), gain=-1), text="42")
    [['small']]
    >>> asked(Cascade(Wellformed(), expecting(), gain=-1), text="")
    [['small'], ['new'], ['medium']]

    FrugalGPT (https://arxiv.org/abs/2305.05176); `gain` after AutoMix (https://arxiv.org/abs/2310.12963).
    """

    def __init__(
        self, gate: Gate, router: Router, thresholds: Sequence[float] = (0.5,), max_steps: int = 3, gain: float = 0.0
    ) -> None:
        super().__init__(router, gate)
        if not thresholds or not all(0 <= threshold <= 1 for threshold in thresholds):
            raise ValueError(f"thresholds={list(thresholds)} must be in [0, 1], one at least")
        if max_steps < 1:
            raise ValueError(f"max_steps={max_steps} must be at least 1")
        self.thresholds, self.max_steps, self.gain = tuple(thresholds), max_steps, gain

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Ask one step after the other, until the gate lets an answer through."""
        drawn = self.first(context, candidates, rng)
        if drawn is None:
            return Finish(None, "the router of the cascade refuses")
        ladder = ladder_of(drawn, candidates)[: self.max_steps]
        best, chance = None, -1.0
        for step, candidate in enumerate(ladder):
            if best is not None and not self._better(drawn, candidate, chance):
                continue
            last = step == len(ladder) - 1
            call = drawn if step == 0 else asking(drawn, candidate, why=f"cascade step={step}")
            (answer,) = yield checked(call, self.gate, stream=last)
            if last:
                return Finish(answer if answer.error is None or best is None else best)
            found = (
                0.0
                if answer.error is not None
                else (yield from self.gate.check(informed(context, drawn, answer), answer, candidates))
            )
            if best is None or found >= chance:
                best, chance = answer, found
            if found >= self.thresholds[min(step, len(self.thresholds) - 1)]:
                return Finish(answer)
        return Finish(best)

    def _better(self, drawn: Call, candidate: Candidate, chance: float) -> bool:
        """Tell whether a candidate is expected to do better than an answer that is good by that chance."""
        expected = drawn.estimates.get(candidate.model)
        return expected is None or expected.mean >= chance + self.gain
