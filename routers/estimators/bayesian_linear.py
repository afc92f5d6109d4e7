"""Bayesian linear models of rewards, learned online by sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.cells import Cells
from routers.fading import HALF_LIFE_S, Fading
from routers.hierarchy import NOISE, Hierarchy, Moments
from routers.online.basis import Basis, feature_count
from routers.online.history import History
from routers.rows import usable
from routers.siblings import with_borrowed
from routers.spans import Spans
from routers.taught import Taught
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.cells import Column
    from routers.observations import Observations
    from routers.sums import Sums
    from routers.types import Candidate, Context, Outcomes

    Array = NDArray[np.float64]


class BayesianLinear(Taught):
    """Estimate rewards by a linear model for each model, all drawn to one of the pool.

    A request's features are 1 and those of `Basis`, which are the same on every replica and at every time. Sums of them
    are all that is kept; from these, when they are taken in, follow the
    directions in which requests differ most, how much slopes vary, and the posteriors. An observation counts half after
    `half_life_s` seconds; where a model is found to have changed (`routers/online/drift.py`), what was observed of it
    before counts no longer. A model that nobody has asked is expected to be as the pool is, or as its other efforts
    are, which lend each other a few observations; a request without an embedding earns the average.

    A table of outcomes does not fade, but counts for at most `table_rows` observations of each model: those that come
    of it weigh as if they had been made online.

    Parameters: `directions`, how many of them count; `slope_doubt` in [0, 1], how much of the doubt about
    slopes the standard error has: exploring for slopes costs more than it finds; `half_life_s`; `table_rows`.

    >>> import numpy as np
    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((40, 1), np.nan, np.float32)
    >>> sides = np.tile([[1.0, 0.0], [-1.0, 0.0]], (20, 1)).astype(np.float32)
    >>> linear = BayesianLinear()
    >>> linear.learn(Outcomes(("small",), sides, (sides[:, :1] > 0).astype(np.float32), gap, gap))
    >>> mean = linear.predict([Context("", 1, sides[0]), Context("", 1, sides[1])], [Candidate("small")]).mean
    >>> bool(mean[0, 0] > 0.8), bool(mean[1, 0] < 0.2)
    (True, True)

    Li et al., LinUCB (https://arxiv.org/abs/1003.0146); Agrawal and Goyal, linear Thompson sampling
    (https://arxiv.org/abs/1209.3352); drawing models to each other after hierarchical Bayesian bandits
    (https://arxiv.org/abs/2111.06929); starting from a table after PILOT (https://arxiv.org/abs/2508.21141).
    """

    part = "linear"
    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(
        self,
        directions: int = 12,
        slope_doubt: float = 0.25,
        half_life_s: float = HALF_LIFE_S,
        table_rows: float = 2000.0,
    ) -> None:
        if directions < 1:
            raise ValueError(f"directions={directions} must be at least 1")
        if not 0 <= slope_doubt <= 1:
            raise ValueError(f"{slope_doubt=} must be in [0, 1]")
        self._spans = Spans(Fading(half_life_s))
        self.directions = directions
        self.slope_doubt = slope_doubt
        self._upper = np.triu_indices(self.width)
        super().__init__(half_life_s, table_rows)

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate the reward of every candidate for every context, from 0 to 1."""
        models = [candidate.model for candidate in candidates]
        found = [self._believed.at(self.features(context), models, self.slope_doubt) for context in contexts]
        mean, std = np.array(found, np.float64).reshape(len(contexts), 2, len(models)).transpose(1, 0, 2)
        return Estimates(np.clip(mean, 0, 1).astype(np.float32), std.astype(np.float32))

    @property
    def width(self) -> int:
        """Return the number of features."""
        return 1 + feature_count()

    def features(self, context: Context) -> Array:
        """Return a request's features, `[width]`; one without an embedding has none but the 1."""
        found = np.zeros(self.width)
        found[0] = 1.0
        if usable(context.embedding):
            basis = Basis.of(len(context.embedding))
            found[1:] = basis.features(context.embedding[None], [context.prompt_tokens])[0]
        return found

    def learn(self, outcomes: Outcomes) -> None:
        """Add a table's rewards to its sums; the rows are not kept."""
        rows, columns = np.nonzero(~np.isnan(outcomes.rewards))
        points = np.array([self.features(context) for context in outcomes.contexts()]).reshape(-1, self.width)
        rewards = outcomes.rewards[rows, columns].astype(np.float64)
        numbers = self._numbers(points[rows], rewards, np.ones(len(rows)))
        models = [outcomes.models[column] for column in columns.tolist()]
        self._keep(self._table + Cells.of(models, [""] * len(rows), numbers), self._online)

    def sums(self, observations: Observations) -> Sums:
        """Return the moments of the rows; one without a reward adds nothing."""
        rows = np.flatnonzero(~np.isnan(observations.rewards))
        points = np.array([self.features(observations.contexts[row]) for row in rows.tolist()])
        numbers = self._numbers(points, observations.rewards[rows], observations.weights[rows])
        models = [observations.actions[row] for row in rows.tolist()]
        return self._spans.summed(self.part, models, observations.times[rows], numbers)

    def absorb(self, sums: Sums, now: float) -> None:
        """Replace what was learned online by these sums, as they have faded by now."""
        history = History.of(self._table.at_most(self.table_rows), self._spans.faded(self.part, sums, now))
        self._keep(self._table, history.online)
        if changes := history.changes(self._coefficients(), NOISE):
            self._keep(self._table, history.online - history.outdated(changes))

    def folded(self, sums: Sums, now: float) -> Sums:
        """Return the sums with what is older than `now` in longer spans: they are the same for all to come."""
        return self._spans.folded(self.part, sums, now)

    def _learned(self) -> None:
        together = with_borrowed(self._table.at_most(self.table_rows) + self._online)
        models = together.models
        numbers = np.array([together.known[model, ""] for model in models]).reshape(len(models), self._numbers_each)
        self._believed = Hierarchy.of(models, self._moments(numbers), self.directions)

    def _coefficients(self) -> dict[str, Array]:
        """Return what each model is expected to earn for each feature, `[width]`."""
        weights = self._believed.slopes @ self._believed.basis.T
        return dict(zip(self._believed.models, weights[: len(self._believed.models)], strict=True))

    @property
    def _numbers_each(self) -> int:
        return 2 + self.width + len(self._upper[0])

    def _numbers(self, points: Array, rewards: Array, weights: Array) -> Column:
        """Return of each row what is added up: its weight, w r^2, w r z, and the upper half of w z z'."""
        points = points.reshape(len(rewards), self.width)
        halves = points[:, self._upper[0]] * points[:, self._upper[1]]
        columns = [np.ones((len(rewards), 1)), rewards[:, None] ** 2, rewards[:, None] * points, halves]
        return np.asarray(weights[:, None] * np.concatenate(columns, axis=1))

    def _moments(self, numbers: Column) -> Moments:
        size = self.width
        squares = np.zeros((len(numbers), size, size))
        squares[:, self._upper[0], self._upper[1]] = numbers[:, 2 + size :]
        squares[:, self._upper[1], self._upper[0]] = numbers[:, 2 + size :]
        return Moments(squares, numbers[:, 2 : 2 + size], numbers[:, 1])
