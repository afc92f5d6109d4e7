"""A cheap model answers three times; how far its answers differ decides how many models are asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from routers.answers.agreement import ballots, disagreement
from routers.plans.around import Around, asking, ranked
from routers.plans.merging import merged
from routers.types import Finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from routers.types import Candidate, Context, Plan, Router


class ProbeExpand(Around):
    """Draw three samples from the cheapest candidate; where they agree its answer counts, else others are asked.

    Where two of three agree, the best other model is asked and votes with them; where none do, the two best are, and
    the better one writes the answer from all. It pays only where the probe is far cheaper than what it saves. What the
    samples agree on may be wrong all the same, and nothing downstream mends that.

    Parameters: `router`, which must expect rewards; `temperature` of the probe.

    >>> from routers.checks.plays import asked, expecting
    >>> asked(ProbeExpand(expecting()), text="42")
    [['small', 'small', 'small']]
    >>> asked(ProbeExpand(expecting()), text="")
    [['small', 'small', 'small'], ['medium', 'new']]

    ACAR (agreement of samples as difficulty): sigma 0, 1/2 and 1 lead to one, two and three models.
    """

    def __init__(self, router: Router, temperature: float = 0.7) -> None:
        super().__init__(router)
        if temperature <= 0:
            raise ValueError(f"temperature={temperature} must be above 0: samples would all be the same")
        self.temperature = temperature

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Probe, then ask as many as it takes."""
        drawn = self.first(context, candidates, rng)
        if drawn is None:
            return Finish(None, "the router refuses")
        cheap = min(candidates, key=lambda one: (drawn.expected_cost_usd.get(one.model, float("inf")), one.model))
        probing = asking(drawn, cheap, cheap, cheap, why="probe")
        probes = yield replace(probing, parameters={"temperature": self.temperature})
        others = [one for one in ranked(drawn, candidates) if one.model != cheap.model]
        sigma, votes = disagreement(probes), ballots(probes)
        if sigma == 0 or not others:
            return Finish(votes[0].answers[0] if votes else probes[0])
        asked = others[: 1 if sigma <= 1 / 2 else 2]
        further = yield asking(drawn, *asked, why=f"expand sigma={sigma:g}")
        given = [answer for answer in [*probes, *further] if answer.error is None] or list(probes)
        return (yield from merged(drawn, given, "weighted" if sigma <= 1 / 2 else "llm", others[0], rng))
