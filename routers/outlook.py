"""What is expected of every candidate for one request, before anything is weighed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routers.types import Estimate, Prospects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from routers.tally import Tally
    from routers.types import Candidate, Context, Costs, Estimator


@dataclass(frozen=True, slots=True)
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
        """Return this outlook with one candidate cheaper, at most by what it costs; an unknown cost stays unknown."""
        if model not in self.costs_usd or usd <= 0:
            return self
        costs = {**self.costs_usd, model: max(0.0, self.costs_usd[model] - usd)}
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
        estimates = self.estimator.predict(contexts, candidates)
        costs = self.costs.predict(contexts, candidates).tolist()
        latencies = [self.latencies.mean_of(candidate.model) for candidate in candidates]
        seconds = [math.nan if latency is None else latency for latency in latencies]
        reference = self.costs.reference_usd(candidates)
        rewards = zip(estimates.mean.tolist(), estimates.std.tolist(), strict=True)
        return [
            _outlook(candidates, list(map(Estimate, mean, std)), usd, seconds, reference)
            for (mean, std), usd in zip(rewards, costs, strict=True)
        ]


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
    costs = [known.get(model, dearest) for model in models]
    order = sorted(range(len(models)), key=lambda i: (costs[i], models[i]))
    ordered = tuple(models[i] for i in order)
    prospects = Prospects(
        rewards=[rewards[i] for i in order],
        costs_usd=[costs[i] for i in order],
        latencies_s=[latencies_s[i] for i in order],
        reference_usd=reference_usd,
        models=ordered,
    )
    return Outlook(
        candidates=tuple(candidates[i] for i in order),
        models=ordered,
        prospects=prospects,
        estimates=dict(zip(ordered, prospects.rewards, strict=True)),
        costs_usd=known,
    )
