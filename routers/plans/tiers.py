"""One model where the router is sure, two where it wavers, more where it does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.plans.around import Around, asking, ranked
from routers.plans.merging import merged
from routers.types import Finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from routers.types import Candidate, Context, Plan, Router


class Tiers(Around):
    """Fan out as far as expectations are low, or close together.

    The best candidate alone where at least `confidence` is expected of it, and by `margin` more than of the next; the
    two best where the next is closer; else the `widest` best, whose votes are weighed.

    Parameters: `router`, which must expect rewards; `confidence`; `margin`; `widest`.

    >>> from routers.checks.plays import asked, expecting
    >>> asked(Tiers(expecting(), confidence=0.35))
    [['medium', 'small']]
    >>> asked(Tiers(expecting(), confidence=0.9))
    [['medium', 'small', 'new', 'large']]

    PRISM (https://arxiv.org/abs/2509.24377).
    """

    def __init__(self, router: Router, confidence: float = 0.35, margin: float = 0.1, widest: int = 4) -> None:
        super().__init__(router)
        if not 0 <= confidence <= 1 or margin < 0 or widest < 2:
            raise ValueError(f"{confidence=} must be in [0, 1], {margin=} not negative, {widest=} at least 2")
        self.confidence, self.margin, self.widest = confidence, margin, widest

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Ask one, two, or several at once."""
        drawn = self.first(context, candidates, rng)
        if drawn is None:
            return Finish(None, "the router refuses")
        best = ranked(drawn, candidates)
        expected = [drawn.estimates[one.model].mean if one.model in drawn.estimates else 0.0 for one in best]
        sure = expected[0] >= self.confidence
        apart = len(best) == 1 or expected[0] - expected[1] >= self.margin
        if len(best) == 1 or (sure and apart):
            (answer,) = yield asking(drawn, best[0], why="tiers one", stream=True)
            return Finish(answer)
        asked = best[: 2 if sure else self.widest]
        answers = yield asking(drawn, *asked, why=f"tiers {len(asked)}")
        given = [answer for answer in answers if answer.error is None]
        if not given:
            return Finish(None, "none of those that were asked has answered")
        return (yield from merged(drawn, given, "weighted", best[0], rng))
