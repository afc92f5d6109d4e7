"""Several answers, of which a gate finds one the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.plans.around import asking, checked, informed, ranked
from routers.plans.checking import Checking
from routers.types import Finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from routers.types import Answer, Candidate, Context, Gate, Plan, Router


class BestOf(Checking):
    """Ask the `size` candidates of the highest expected reward at once; the answer that the gate trusts most counts.

    It fits where answers cannot vote, because no two of them are the same: prose, plans, code. What fails is nobody's
    best; of equals the one counts of whose model most was expected. It is as good as its gate: one that cannot tell
    good from bad makes it as good as the worst of them, at the price of all.

    Parameters: `gate`; `router`, which must expect rewards; `size`.

    >>> from routers.checks.plays import asked, expecting
    >>> from routers.gates.judge import Judge
    >>> asked(BestOf(Judge("large"), expecting(), size=2))
    [['medium', 'small'], ['large'], ['large']]

    The aggregator `best_score` of ORCH (https://arxiv.org/abs/2602.01797); best of n after BEST-Route
    (https://arxiv.org/abs/2506.22716).
    """

    def __init__(self, gate: Gate, router: Router, size: int = 3) -> None:
        super().__init__(router, gate)
        if size < 2:
            raise ValueError(f"size={size} must be at least 2: of one answer, it is the best")
        self.size = size

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Ask, look at each, and take the best."""
        drawn = self.first(context, candidates, rng)
        if drawn is None:
            return Finish(None, "the router refuses")
        members = ranked(drawn, candidates)[: self.size]
        if len(members) == 1:
            (answer,) = yield asking(drawn, members[0], why="best_of one", stream=True)
            return Finish(answer)
        answers = yield checked(asking(drawn, *members, why=f"best_of size={len(members)}"), self.gate, stream=False)
        best: Answer | None = None
        most = -1.0
        for answer in answers:
            if answer.error is None:
                chance = yield from self.gate.check(informed(context, drawn, answer), answer, candidates)
                best, most = (answer, chance) if chance > most else (best, most)
        return Finish(best, "" if best else "none of those that were asked has answered")
