"""What is expected of every candidate for one request, before anything is weighed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import union
from routers.efforts import base_of
from routers.siblings import DISTANCE, stood_in
from routers.types import Candidate, Estimate, Estimates, Prospects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from routers.tally import Tally
    from routers.types import Context, Costs, Estimator


@dataclass(slots=True)
class Outlook:
    """Candidates in the order of their expected cost, then name, and what is expected of each.

    `prospects` counts a candidate whose cost is unknown as the dearest one known; `costs_usd` leaves it out.
    """

    candidates: tuple[Candidate, ...]
    models: tuple[str, ...]
    prospects: Prospects
    estimates: Mapping[str, Estimate]
    costs_usd: Mapping[str, float]

    def saving(self, model: str, usd: float) -> Outlook:
        """Return this outlook with a model cheaper, at most by what it costs; an unknown cost stays unknown.

        It is so at every effort: a prompt cache is the model's.
        """
        warm = [one for one in self.costs_usd if base_of(one) == base_of(model)]
        if not warm or usd <= 0:
            return self
        costs = {**self.costs_usd, **{one: max(0.0, self.costs_usd[one] - usd) for one in warm}}
        return _outlook(
            self.candidates,
            self.prospects.rewards,
            [costs.get(candidate.model, math.nan) for candidate in self.candidates],
            self.prospects.latencies_s,
            self.prospects.reference_usd,
        )


@dataclass(frozen=True, slots=True)
class Expectations:
    """Who expects: rewards, costs, and latencies (each model's mean)."""

    estimator: Estimator
    costs: Costs
    latencies: Tally

    def outlooks(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> list[Outlook]:
        """Return one outlook for each context; all are computed in one batch."""
        estimates = self._estimates(contexts, candidates)
        costs = self.costs.predict(contexts, candidates).tolist()
        seconds = self.latencies.means_of(tuple([candidate.model for candidate in candidates]))
        reference = self.costs.reference_usd(candidates)
        rewards = zip(estimates.mean.tolist(), estimates.std.tolist(), strict=True)
        return [
            _outlook(candidates, list(map(Estimate, mean, std)), usd, seconds, reference)
            for (mean, std), usd in zip(rewards, costs, strict=True)
        ]

    def _estimates(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Return the rewards to expect; of a candidate nobody has seen yet, those of its model's nearest effort."""
        models = tuple([candidate.model for candidate in candidates])
        stand_ins = stood_in(models, self.costs.models)
        if not stand_ins:
            return self.estimator.predict(contexts, candidates)
        names = [stand_ins.get(place, model) for place, model in enumerate(models)]
        asked = union(models, names)
        whole = self.estimator.predict(contexts, [*candidates, *map(Candidate, asked[len(models) :])])
        columns = [asked.index(name) for name in names]
        doubt = np.array([DISTANCE if place in stand_ins else 0.0 for place in range(len(models))], np.float32)
        return Estimates(whole.mean[:, columns], np.hypot(whole.std[:, columns], doubt))


class Prepared:
    """Outlooks computed beforehand, for these very context objects and these candidates.

    The contexts are kept, so that no other object takes the place of one in memory.
    """

    def __init__(
        self, contexts: Sequence[Context], candidates: Sequence[Candidate], outlooks: Sequence[Outlook]
    ) -> None:
        self._contexts = tuple(contexts)
        self._candidates = tuple(candidates)
        self._outlooks = {id(context): outlook for context, outlook in zip(contexts, outlooks, strict=True)}

    def get(self, context: Context, candidates: Sequence[Candidate]) -> Outlook | None:
        """Return the outlook of that object, if there is one for these candidates in this order."""
        return self._outlooks.get(id(context)) if self._candidates == tuple(candidates) else None


def _outlook(
    candidates: Sequence[Candidate],
    rewards: Sequence[Estimate],
    costs_usd: Sequence[float],
    latencies_s: Sequence[float],
    reference_usd: float,
) -> Outlook:
    models = [candidate.model for candidate in candidates]
    known = {model: cost for model, cost in zip(models, costs_usd, strict=True) if not math.isnan(cost)}
    dearest = max(known.values(), default=0.0)
    # By cost, then name; the place makes every row different, so that nothing after it is compared.
    rows = sorted(
        (known.get(model, dearest), model, place, candidate)
        for place, (model, candidate) in enumerate(zip(models, candidates, strict=True))
    )
    ordered = tuple([row[1] for row in rows])
    expected = [rewards[row[2]] for row in rows]
    prospects = Prospects(
        expected, [row[0] for row in rows], [latencies_s[row[2]] for row in rows], reference_usd, ordered
    )
    estimates = dict(zip(ordered, expected, strict=True))
    return Outlook(tuple([row[3] for row in rows]), ordered, prospects, estimates, known)
