"""Several estimators as one, each weighed by what it has proved."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from routers.columns import spread
from routers.estimators.constant import PRIOR, alike, averages
from routers.parts import below, prefixed
from routers.stacking import Stacking, relevance
from routers.tally import Tally
from routers.types import Candidate, Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Context, Estimator, FloatArray, Outcomes

    Array = NDArray[np.float64]
    Arrays = Mapping[str, NDArray[np.generic]]

#: Fewer rows than this are not split: the members share the weight.
FEWEST_ROWS = 20


@runtime_checkable
class CrossPredicting(Protocol):
    """An estimator that can say for less than the price of a fit a fold what it would, had it not seen a row."""

    def cross_predict(self, outcomes: Outcomes, parts: NDArray[np.intp]) -> FloatArray:
        """Return for each row what the rows of other parts say, `[n, m]`; what was learned stays."""
        ...


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The weights `[k]`: never changed, only replaced. `models` are those that they were found on."""

    models: tuple[str, ...]
    stacking: Stacking
    weights: Array


class Ensemble:
    """Estimate a reward as a sum of what the members say beyond each model's mean, weighed by what they have proved.

    With `d_k` what member k says of a model less the model's mean,

        estimate = mean + sum_k weight_k d_k,    weight_k >= 0

    The weights fit predictions for rows that a member had not seen: the first outcomes are split into `folds`, and
    each is predicted by members that learned the others; later outcomes are predicted before they are learned. So a
    member that has only learned its rows by heart gets no weight, and where nobody can tell requests apart, what
    remains is the means. What is fitted is differences between models for the same request, those between models that
    would be chosen before others (see `Stacking`). The standard error is that of the members and of their
    disagreement, weighed alike.

    Parameters: `members`, the estimators; `folds`, how many parts the first outcomes are split into; `seed` of
    the split.

    >>> from routers.estimators.constant import Constant
    >>> from routers.estimators.knn import KNN
    >>> from routers.types import Context, Outcomes
    >>> gap = np.full((40, 1), np.nan, np.float32)
    >>> sides = np.tile(np.array([[1, 0], [0, 1]], np.float32), (20, 1))
    >>> ensemble = Ensemble([KNN(neighbours=5, shrinkage=5.0), Constant()])
    >>> ensemble.learn(Outcomes(("small",), sides, sides[:, :1], gap, gap))
    >>> ensemble.predict([Context("", 2, side) for side in sides[:2]], [Candidate("small")]).mean.round(2).tolist()
    [[1.0], [0.0]]

    Stacked regressions: Wolpert (https://doi.org/10.1016/S0893-6080(05)80023-1), Breiman
    (https://doi.org/10.1007/BF00117832).
    """

    #: What is estimated for the weights depends on which outcomes came together.
    learns_in_batches = True

    def __init__(self, members: Sequence[Estimator], folds: int = 5, seed: int = 0) -> None:
        if not members:
            raise ValueError("members: an ensemble needs at least one estimator")
        if folds < 2:
            raise ValueError(f"folds={folds} must be at least 2")
        self.members = list(members)
        self.folds = folds
        self.seed = seed
        self._new = deepcopy(self.members)
        self._tally = Tally.empty()
        self._weighed: _Weighed | None = None

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that the members read."""
        return frozenset().union(*(member.requires for member in self.members))

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context."""
        tally, weighed = self._tally, self._weighed
        models = [candidate.model for candidate in candidates]
        if weighed is None:
            return alike(tally.of_models(models), len(contexts))
        average = averages(tally.of_models(models))
        said = [member.predict(contexts, candidates) for member in self.members]
        deviations = np.stack([one.mean for one in said]).astype(np.float64) - average[0]
        errors = np.stack([one.std for one in said]).astype(np.float64)
        mean = (weighed.weights[:, None, None] * deviations).sum(axis=0)
        share = _shares(weighed.weights)[:, None, None]
        std = np.sqrt((share * (errors**2 + (deviations - mean) ** 2)).sum(axis=0))
        mean, std = np.clip(average[0] + mean, 0, 1), np.minimum(std, PRIOR.std)
        unseen = tally.of_models(models).count == 0
        mean[:, unseen], std[:, unseen] = PRIOR.mean, PRIOR.std
        return Estimates(mean.astype(np.float32), std.astype(np.float32))

    def learn(self, outcomes: Outcomes) -> None:
        """Let members predict the outcomes unseen, weigh them by that, and let them learn."""
        if not outcomes.n:
            return
        rewarded = not np.isnan(outcomes.rewards).all()
        tally = self._tally + Tally.of(outcomes.models, outcomes.rewards) if rewarded else self._tally
        unseen = self._unseen(outcomes) if rewarded else None
        for member in self.members:
            member.learn(outcomes)
        self._tally = tally
        if unseen is not None:
            self._weighed = self._weigh(outcomes, unseen, tally)

    def state(self) -> Arrays:
        """Return the members' state, the means, and the sums that the weights follow from."""
        members = [prefixed(f"member{place}", member.state()) for place, member in enumerate(self.members)]
        own: dict[str, NDArray[np.generic]] = {
            "models": np.array(self._tally.models, np.str_),
            "moments": self._tally.moments,
        }
        if (weighed := self._weighed) is not None:
            own["weighed"], own["weights"] = np.array(weighed.models, np.str_), weighed.weights
            own |= prefixed("stacking", weighed.stacking.state())
        return {name: array for arrays in (own, *members) for name, array in arrays.items()}

    def restore(self, state: Arrays) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        for place, member in enumerate(self.members):
            member.restore(below(f"member{place}", state))
        self._tally = Tally(tuple(state["models"].tolist()), state["moments"].astype(np.float64))
        self._weighed = None
        if "weights" in state:
            stacking = Stacking.restored(below("stacking", state))
            self._weighed = _Weighed(tuple(state["weighed"].tolist()), stacking, state["weights"].astype(np.float64))

    def _unseen(self, outcomes: Outcomes) -> Array | None:
        """Return what each member says of rows that it has not learned, `[k, n, m]`; None where they are too few."""
        pool = _candidates(outcomes.models)
        if self._tally.models:
            contexts = outcomes.contexts()
            return np.stack([member.predict(contexts, pool).mean for member in self.members]).astype(np.float64)
        if outcomes.n < max(FEWEST_ROWS, self.folds):
            return None
        parts = np.random.default_rng(self.seed).permutation(outcomes.n) % self.folds
        return np.stack(
            [_cross_predicted(*pair, outcomes, parts) for pair in zip(self.members, self._new, strict=True)]
        )

    def _weigh(self, outcomes: Outcomes, unseen: Array, tally: Tally) -> _Weighed:
        before = self._weighed
        models = before.models if before else tuple(m for m in outcomes.models if tally.mean_of(m) is not None)
        average = tally.of_models(models).mean
        said = spread(unseen, outcomes.models, models, np.nan) - average
        deviations = np.where(np.isnan(said), 0.0, said)
        rewards = spread(outcomes.rewards.astype(np.float64), outcomes.models, models, np.nan) - average
        if before:
            stacking = before.stacking
        else:
            costs = Tally.of(outcomes.models, outcomes.costs_usd).of_models(models)
            usd = np.where(costs.count > 0, costs.mean, np.nan)
            stacking = Stacking.started(len(self.members), relevance(average + deviations.mean(axis=0), usd))
        stacking = stacking.plus(deviations, rewards)
        return _Weighed(models, stacking, stacking.weights())


def _cross_predicted(member: Estimator, new: Estimator, outcomes: Outcomes, parts: NDArray[np.intp]) -> Array:
    """Return what a member says of each row when it has learned the other parts only, `[n, m]`."""
    if isinstance(member, CrossPredicting):
        return member.cross_predict(outcomes, parts).astype(np.float64)
    said = np.empty(outcomes.rewards.shape)
    pool = _candidates(outcomes.models)
    for part in np.unique(parts):
        inside, outside = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
        fold = deepcopy(new)
        fold.learn(outcomes.take(outside))
        said[inside] = fold.predict(outcomes.take(inside).contexts(), pool).mean
    return said


def _candidates(models: Sequence[str]) -> list[Candidate]:
    return [Candidate(model) for model in models]


def _shares(weights: Array) -> Array:
    """Return how much each member counts, `[k]`; alike where none counts."""
    return weights / weights.sum() if weights.sum() > 0 else np.full(len(weights), 1 / len(weights))
