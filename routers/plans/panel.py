"""Several models answer at once, and one answer is made of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from routers.plans.around import Around, asking, ranked
from routers.plans.merging import merged
from routers.types import Finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from routers.plans.merging import Merge
    from routers.types import Candidate, Context, Plan, Router


class Panel(Around):
    """Ask the `size` candidates of the highest expected reward, and merge what they say.

    Who fails abstains; below `quorum` answers, there is no result. With `merge: vote`, each answer counts as one; with
    `weighted`, by the log odds of its model's expected reward; `llm` lets `merger` (by default the best of the panel)
    write one answer from all, which is relayed as it comes.

    Parameters: `router`, which must expect rewards; `size`; `merge`; `quorum`; `merger`, a model's name.

    >>> from routers.checks.plays import asked, expecting
    >>> asked(Panel(expecting(), size=2))
    [['medium', 'small']]

    ORCH (https://arxiv.org/abs/2602.01797), mixture-of-agents (https://arxiv.org/abs/2406.04692).
    """

    def __init__(
        self,
        router: Router,
        size: int = 3,
        merge: Literal["vote", "weighted", "llm"] = "weighted",
        quorum: int = 1,
        merger: str | None = None,
    ) -> None:
        super().__init__(router)
        if not 1 <= quorum <= size:
            raise ValueError(f"quorum={quorum} must be between 1 and size={size}")
        self.size, self.quorum, self.merger = size, quorum, merger
        self.merge: Merge = merge

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Ask the panel, then merge."""
        drawn = self.first(context, candidates, rng)
        if drawn is None:
            return Finish(None, "the router of the panel refuses")
        members = ranked(drawn, candidates)[: self.size]
        if len(members) == 1:
            (answer,) = yield asking(drawn, members[0], why="panel of one", stream=True)
            return Finish(answer)
        answers = yield asking(drawn, *members, why=f"panel size={len(members)}")
        given = [answer for answer in answers if answer.error is None]
        if len(given) < self.quorum:
            return Finish(None, f"{len(given)} of {len(members)} answered, and the quorum is {self.quorum}")
        merger = next((one for one in candidates if one.model == self.merger), members[0])
        return (yield from merged(drawn, given, self.merge, merger, rng))
