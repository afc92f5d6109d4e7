"""A graph of requests, tasks and models: outcomes are smoothed along its links once, then looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread
from routers.estimators.constant import PRIOR
from routers.estimators.propagation import ProfileGraph, link_models, link_requests
from routers.rows import Rows
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, FloatArray, Outcomes

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Smoothed:
    """Rows with what reached each: `deviations` from the models' means, and how much of them, `weights`: `[n, m]`."""

    rows: Rows
    tasks: tuple[str, ...]
    deviations: FloatArray
    weights: FloatArray

    @classmethod
    def empty(cls) -> _Smoothed:
        """Return no rows."""
        nothing = np.zeros((0, 0), np.float32)
        return cls(Rows.empty(), (), nothing, nothing)


class Graph:
    """Estimate a model's reward from outcomes that were smoothed over a graph of requests, tasks and models.

    GraphRouter's graph without its neural network. A request is linked to its `neighbours` by cosine and to its task by
    `task_weight` (where the table names tasks), a model to itself by 1 and to others by `model_weight` times the
    correlation of their rewards. With `S` and `M` these links, each divided by the square roots of both ends' degrees,
    `D` the rewards' deviations from the models' means and `O` one where a reward was observed, both zero elsewhere,

        P_0 = D        P_h+1 = retain * D + (1 - retain) * S P_h M        likewise Q_h from O

    for `hops` hops: the second brings what tasks and neighbours' neighbours know. Gaps thus fill from their
    surroundings. A request takes its `neighbours` `i` with weights `w = max(cosine, 0)`:

        mean = r_model + (sum of w_i P_i) / (sum of w_i Q_i + shrinkage)

    A smoothed row is taken for `Q` observations in the standard error, though it holds more. A request without an
    embedding gets the model's mean, a model never observed 0.5 with a standard error of 0.5.

    Learning takes time in proportion to the square of the rows: seconds for 10,000. Search takes time in proportion to
    the rows.

    Parameters: `neighbours`, to how many a request is linked; `hops`, how far outcomes travel, 0 for not at all;
    `retain`, the share that a row keeps of its own; `task_weight`, how strongly tasks link their requests;
    `model_weight`, how far models learn from those that resemble them; `shrinkage`, the weight of the model's mean, in
    observations; `max_rows`, after which the oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> graph = Graph(neighbours=1, hops=0, shrinkage=1.0)
    >>> graph.learn(Outcomes(("small",), np.eye(2, dtype=np.float32), np.array([[1.0], [0.0]]), gap, gap))
    >>> like_the_first = Context("hello", 2, embedding=np.array([1, 0], np.float32))
    >>> graph.predict([like_the_first], [Candidate("small")]).mean.tolist()
    [[0.75]]

    GraphRouter (https://arxiv.org/abs/2410.03834); RouteProfile (https://arxiv.org/abs/2605.00180).
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(  # noqa: PLR0913  (each argument is an option)
        self,
        neighbours: int = 40,
        hops: int = 2,
        retain: float = 0.3,
        *,
        task_weight: float = 20.0,
        model_weight: float = 0.1,
        shrinkage: float = 1.0,
        max_rows: int = 100_000,
    ) -> None:
        if neighbours < 1 or max_rows < 1 or hops < 0:
            raise ValueError(
                f"neighbours={neighbours} and max_rows={max_rows} must be at least 1, hops={hops} at least 0"
            )
        if not 0 <= retain <= 1:
            raise ValueError(f"retain={retain} must be from 0 to 1")
        if min(task_weight, model_weight, shrinkage) < 0:
            raise ValueError(
                f"task_weight={task_weight}, model_weight={model_weight} and shrinkage={shrinkage} must not be negative"
            )
        self.neighbours = neighbours
        self.hops = hops
        self.retain = retain
        self.task_weight = task_weight
        self.model_weight = model_weight
        self.shrinkage = shrinkage
        self.max_rows = max_rows
        self._smoothed = _Smoothed.empty()

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        smoothed, models = self._smoothed, [candidate.model for candidate in candidates]
        known = smoothed.rows.models
        mean, std = np.empty((2, len(contexts), len(known)), np.float32)
        for row, context in enumerate(contexts):
            mean[row], std[row] = self._estimated(smoothed, context)
        unseen = smoothed.rows.tally.count == 0
        mean[:, unseen], std[:, unseen] = PRIOR.mean, PRIOR.std
        return Estimates(spread(mean, known, models, PRIOR.mean), spread(std, known, models, PRIOR.std))

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, drop the oldest beyond `max_rows`, and smooth them anew.

        A row without an embedding (NaN or zeros) is nobody's neighbour, but belongs to its task. Raises `ValueError`
        where the embeddings have another length than those learned before.
        """
        rows = self._smoothed.rows.append(outcomes, self.max_rows)
        new = outcomes.tasks or ("",) * outcomes.n
        tasks = (*self._smoothed.tasks, *new)[-self.max_rows :]
        observed = ~np.isnan(rows.rewards)
        deviations = np.where(observed, rows.rewards - rows.tally.mean, 0)
        graph = self._graph(rows, tasks, deviations, observed.astype(np.float64))
        reached = [graph.propagate(part, self.hops, self.retain) for part in (deviations, observed.astype(np.float64))]
        self._smoothed = _Smoothed(rows, tasks, *(part.astype(np.float32) for part in reached))

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows, their tasks, and what was smoothed."""
        smoothed = self._smoothed
        return {
            **smoothed.rows.state(),
            "tasks": np.array(smoothed.tasks, dtype=np.str_),
            "deviations": smoothed.deviations,
            "weights": smoothed.weights,
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        deviations, weights = (state[name][-self.max_rows :].astype(np.float32) for name in ("deviations", "weights"))
        tasks = tuple(state["tasks"][-self.max_rows :].tolist())
        self._smoothed = _Smoothed(Rows.restored(state, self.max_rows), tasks, deviations, weights)

    def _graph(self, rows: Rows, tasks: Sequence[str], deviations: Array, observed: Array) -> ProfileGraph:
        requests = link_requests(rows.embeddings, tasks, self.neighbours, self.task_weight)
        return ProfileGraph(requests, link_models(deviations, observed, self.model_weight, self.shrinkage))

    def _estimated(self, smoothed: _Smoothed, context: Context) -> tuple[Array, Array]:
        """Return mean and standard error of every model, both `[m]`, for one request."""
        near, cosines = smoothed.rows.nearest(context.embedding, self.neighbours)
        weight = np.maximum(cosines, 0).astype(np.float64)[:, None]
        evidence = (weight * smoothed.weights[near]).sum(axis=0)
        total = evidence + self.shrinkage
        safe = np.where(total > 0, total, 1)
        deviation = (weight * smoothed.deviations[near]).sum(axis=0) / safe
        tally = smoothed.rows.tally
        drawn = np.where(total > 0, self.shrinkage / safe, 1)
        variance = tally.variance / np.maximum(total, 1) + drawn**2 * tally.variance / np.maximum(tally.count, 1)
        return np.clip(tally.mean + deviation, 0, 1), np.minimum(np.sqrt(variance), PRIOR.std)
