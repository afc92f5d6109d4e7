"""As far as it knows such requests: another estimator, drawn towards the means where it has seen nothing like them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.estimators.constant import PRIOR
from routers.parts import below, prefixed
from routers.rows import check_length
from routers.sample import Sample
from routers.tally import Tally
from routers.types import Candidate, Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Context, Estimator, FloatArray, Outcomes

    Vector = NDArray[np.float64]

#: Rows whose supports say what is usual.
CALIBRATION = 400
#: The least width of the ramp, in cosine: tasks that look alike make it no cliff.
LEAST_WIDTH = 0.05
#: What a gain that is not believed loses at most: it breaks a tie, and costs outweigh it.
DISBELIEF = 1e-3


class Trust:
    """Believe another estimator as far as the rows learned support the request; else the model's mean.

        mean = p * estimate + (1 - p) * model's mean over all rows

    The support is the mean cosine of the request and the `neighbours` rows nearest to it, among a sample of those
    learned. The trust p rises smoothly from 0 to 1 (t^2 (3 - 2 t)) as the support rises from `low` to `high`, which
    the rows themselves say: `high` is the quantile `known` of the supports that rows have among all others, `low` the
    quantile `unknown` of those that they have among the rows of other tasks, which is how a task looks that nobody
    has seen. Where rows name no tasks, or one only, `low` is half of `high`. The standard error is that of believing
    the estimator with probability p and otherwise knowing only how the model's rewards vary. A request without an
    embedding gets the mean.

    A request may be of a task that was never seen and look like one that was. What such a task has against the
    candidate that is best on average is the costly mistake; what it leaves to a cheaper one that is about as good is
    not. So a gain over that candidate is believed only above the `margin`: one below it counts as a loss of next to
    nothing, which any saving outweighs. Where no candidate has a reward, gains are over the best of all models learned.

    Parameters: `estimator`, the one that is believed; `neighbours`, the rows that make the support; `known` and
    `unknown`, quantiles in [0, 1]; `margin`, in reward; `sample`, how many rows are kept to be compared with.

    >>> from routers.estimators.knn import KNN
    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((4, 1), np.nan, np.float32)
    >>> rewards = np.array([[1.0], [1.0], [0.0], [0.0]], np.float32)
    >>> trust = Trust(KNN(neighbours=2, shrinkage=0.0), neighbours=1)
    >>> trust.learn(Outcomes(("small",), np.eye(3, dtype=np.float32)[[0, 0, 1, 1]], rewards, gap, gap))
    >>> like_the_first, like_none = (Context("", 1, embedding=np.eye(3, dtype=np.float32)[i]) for i in (0, 2))
    >>> trust.predict([like_the_first, like_none], [Candidate("small")]).mean.tolist()
    [[1.0], [0.5]]

    Shnitzer et al., "Large Language Model Routing with Benchmark Datasets" (https://arxiv.org/abs/2309.15789).
    """

    def __init__(
        self,
        estimator: Estimator,
        neighbours: int = 10,
        known: float = 0.05,
        unknown: float = 0.05,
        *,
        margin: float = 0.0,
        sample: int = 1000,
    ) -> None:
        if neighbours < 1 or sample < 1:
            raise ValueError(f"neighbours={neighbours} and sample={sample} must be at least 1")
        if not (0 <= known <= 1 and 0 <= unknown <= 1):
            raise ValueError(f"known={known} and unknown={unknown} must be quantiles, from 0 to 1")
        if not 0 <= margin <= 1:
            raise ValueError(f"margin={margin} must be a difference of rewards, from 0 to 1")
        self.estimator = estimator
        self.neighbours = neighbours
        self.known = known
        self.unknown = unknown
        self.margin = margin
        self.sample = sample
        self._tally = Tally.empty()
        self._seen = Sample.empty()
        self._ramp = np.array([0.0, 1.0])

    @property
    def requires(self) -> frozenset[str]:
        """Name the embedding, and what the other estimator reads."""
        return self.estimator.requires | {"embedding"}

    @property
    def learns_in_batches(self) -> bool:
        """Tell whether the other estimator declares that the size of its batches matters."""
        return bool(getattr(self.estimator, "learns_in_batches", False))

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        best = self._best(candidates)
        asked = [*candidates, Candidate(best)] if best else list(candidates)
        believed = self.estimator.predict(contexts, asked)
        tally = self._tally.of_models([candidate.model for candidate in asked])
        trust = np.array([self.trust(context) for context in contexts]).reshape(-1, 1)
        seen = tally.count > 0
        usual, spread = np.where(seen, tally.mean, PRIOR.mean), np.where(seen, tally.variance, PRIOR.std**2)
        mean = trust * believed.mean + (1 - trust) * usual
        apart = trust * (1 - trust) * (believed.mean - usual) ** 2
        variance = trust * believed.std.astype(np.float64) ** 2 + (1 - trust) * spread + apart
        if best:
            mean = self._without_small_gains(mean[:, :-1], mean[:, -1:])
        std = np.minimum(np.sqrt(variance[:, : len(candidates)]), PRIOR.std)
        return Estimates(mean.astype(np.float32), std.astype(np.float32))

    def support(self, context: Context) -> float | None:
        """Return the mean cosine of the nearest rows; None without an embedding, or without rows."""
        rows = self._seen.embeddings
        if context.embedding is None or not len(rows):
            return None
        check_length(len(context.embedding), rows.shape[1])
        # Not `@`: BLAS would start threads for it, which wait for each other longer than one thread works.
        return float(_nearest(np.vecdot(rows, context.embedding)[None], self.neighbours)[0])

    def trust(self, context: Context) -> float:
        """Return how far the estimator is believed, from 0 to 1."""
        support = self.support(context)
        if support is None:
            return 0.0
        low, high = self._ramp
        t = min(max((support - low) / (high - low), 0.0), 1.0)
        return float(t * t * (3 - 2 * t))

    def learn(self, outcomes: Outcomes) -> None:
        """Let the other estimator learn, take some of the rows into the sample, and set the ramp anew."""
        self.estimator.learn(outcomes)
        self._tally += Tally.of(outcomes.models, outcomes.rewards)
        self._seen = self._seen.plus(outcomes, self.sample)
        self._ramp = self._calibrated()

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the means, the sample, the ramp, and the state of the other estimator."""
        own = {"models": np.array(self._tally.models, np.str_), "moments": self._tally.moments, "ramp": self._ramp}
        return own | prefixed("sample", self._seen.state()) | prefixed("estimator", self.estimator.state())

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self.estimator.restore(below("estimator", state))
        self._tally = Tally(tuple(state["models"].tolist()), state["moments"].astype(np.float64))
        self._seen = Sample.restored(below("sample", state))
        self._ramp = state["ramp"].astype(np.float64)

    def _best(self, candidates: Sequence[Candidate]) -> str | None:
        """Return the candidate that is best on average; None where gains are believed as they are.

        Where none of them has a reward it is the best of all models learned.
        """
        if not self.margin or not self._tally.count.any():
            return None
        asked = {candidate.model for candidate in candidates}
        # In the order in which they were learned, lest one of two equals depend on the order of the candidates.
        tally = self._tally.of_models([model for model in self._tally.models if model in asked])
        if not tally.count.any():
            tally = self._tally
        lower = tally.mean - np.sqrt(tally.variance / np.maximum(tally.count, 1))
        return tally.models[int(np.where(tally.count > 0, lower, -np.inf).argmax())]

    def _without_small_gains(self, mean: Vector, best: Vector) -> Vector:
        """Turn gains of at most `margin` over the best model `[n, 1]` into losses of next to nothing."""
        gain = mean - best
        small = (gain > 0) & (gain <= self.margin)
        return np.where(small, np.maximum(best - DISBELIEF * (1 - gain / self.margin), 0), mean)

    def _calibrated(self) -> Vector:
        """Return the supports at which trust begins and is complete, `[2]`."""
        rows = self._seen
        if len(rows.tasks) < 2:  # a row needs another one to support it
            return np.array([0.0, 1.0])
        chosen = np.unique(np.linspace(0, len(rows.tasks) - 1, CALIBRATION).astype(np.intp))
        cosines = rows.embeddings[chosen] @ rows.embeddings.T
        cosines[chosen[:, None] == np.arange(len(rows.tasks))] = np.nan
        high = float(np.quantile(_nearest(cosines, self.neighbours), self.known))
        low = self._low(cosines, rows.tasks[chosen], rows.tasks, high)
        return np.array([low, max(high, low + LEAST_WIDTH)])

    def _low(self, cosines: FloatArray, tasks: NDArray[np.str_], others: NDArray[np.str_], high: float) -> float:
        """Return the support at which trust begins, given cosines `[s, n]` of some rows to all."""
        elsewhere = (tasks[:, None] != others) & (tasks[:, None] != "") & (others != "")
        named = elsewhere.any(axis=1)
        if not named.any():
            return high / 2
        apart = np.where(elsewhere, cosines, np.nan)[named]
        return float(np.quantile(_nearest(apart, self.neighbours), self.unknown))


def _nearest(cosines: FloatArray, k: int) -> Vector:
    """Return the mean of the k greatest of each row `[n]`, of which NaN does not count."""
    known = np.where(np.isnan(cosines), -np.inf, cosines)
    outside = max(known.shape[1] - k, 0)
    greatest = np.partition(known, outside, axis=1)[:, outside:] if outside else known
    there = np.isfinite(greatest)
    return np.asarray(np.where(there, greatest, 0).sum(axis=1, dtype=np.float64) / np.maximum(there.sum(axis=1), 1))
