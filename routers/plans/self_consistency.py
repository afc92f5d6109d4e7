"""One model answers several times, until most of its answers agree."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from routers.answers.agreement import ballots
from routers.plans.around import Around
from routers.types import Finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from routers.types import Answer, Candidate, Context, Plan, Router


class SelfConsistency(Around):
    """Draw `batch` answers at a time from the model that a router chose, `samples` at most; the most frequent counts.

    It stops as soon as no further sample could change the result, or the most frequent one has at least `share` of all.

    Parameters: `router`; `samples`; `batch`; `share`; `temperature`.

    >>> from routers.checks.plays import asked, expecting
    >>> asked(SelfConsistency(expecting(), samples=5, batch=2))
    [['small', 'small']]

    Wang et al. (https://arxiv.org/abs/2203.11171); stopping early after TrACE (https://arxiv.org/abs/2604.08369).
    """

    def __init__(
        self, router: Router, samples: int = 5, batch: int = 2, share: float = 0.75, temperature: float = 0.7
    ) -> None:
        super().__init__(router)
        if not 1 <= batch <= samples or not 0 < share <= 1 or temperature <= 0:
            raise ValueError(f"{batch=} must be in [1, {samples=}], {share=} in (0, 1], {temperature=} above 0")
        self.samples, self.batch, self.share, self.temperature = samples, batch, share, temperature

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Ask again and again."""
        drawn = self.first(context, candidates, rng)
        if drawn is None:
            return Finish(None, "the router refuses")
        answers: list[Answer] = []
        while len(answers) < self.samples:
            again = min(self.batch, self.samples - len(answers))
            answers += yield replace(
                drawn,
                candidates=drawn.candidates * again,
                why=f"self_consistency drawn={len(answers)}",
                parameters={"temperature": self.temperature},
                stream=False,
            )
            votes = ballots(answers)
            second = votes[1].weight if len(votes) > 1 else 0.0
            decided = bool(votes) and votes[0].weight >= second + self.samples - len(answers)
            if decided or (votes and len(answers) > 1 and votes[0].weight >= self.share * len(answers)):
                break
        return Finish(votes[0].answers[0] if votes else answers[0])
