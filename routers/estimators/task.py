"""Tasks: a model does on a request what it did on tasks that the request may belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from routers.fit import estimate
from routers.kinds import separated
from routers.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, Estimates, FloatArray, Outcomes

    Array = NDArray[np.float64]
    Labels = NDArray[np.str_]

_ARRAYS = ("names", "coefficients", "intercepts", "means", "errors")

#: Steps of the solver, which rarely needs a hundred, and how flat the loss shall be where it ends.
_MAX_STEPS = 10_000
_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class _Tasks:
    """A classifier of requests, and a table of rewards by task.

    `names` is `[t]`, `coefficients` `[t, d]`, `intercepts` `[t]`, `means` and `errors` (of the means) `[t, m]`.
    """

    names: Labels
    coefficients: Array
    intercepts: Array
    means: Array
    errors: Array

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> _Tasks:
        """Return what `state` returned. Raises `KeyError`."""
        return cls(**{name: state[name] for name in _ARRAYS})

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _ARRAYS}

    def chances(self, embedding: FloatArray) -> Array:
        """Return the chance that the request belongs to each task, `[t]`."""
        odds = np.vecdot(self.coefficients, embedding.astype(np.float64)) + self.intercepts
        chances = np.exp(odds - odds.max())
        return np.asarray(chances / chances.sum())

    def at(self, embedding: FloatArray) -> Array:
        """Return mean and standard error for one request, `[2, m]`; NaN where no task is known."""
        if not len(self.names):
            return np.full((2, self.means.shape[1]), np.nan)
        chances = self.chances(embedding)[:, None]
        mean = (chances * self.means).sum(axis=0)
        variance = (chances * (self.errors**2 + (self.means - mean) ** 2)).sum(axis=0)
        return np.stack([mean, np.sqrt(variance)])


class Task:
    """Estimate a model's reward as the mean of its rewards by task, weighted by how likely the request is of each.

    The tasks are those that the outcomes are labelled with. A logistic regression from the embedding gives the
    chance `P(t | x)` that a request is of task t; a table gives what each model did there:

        mean     = sum over t of P(t | x) mean_t
        mean_t   = (sum of rewards in t + shrinkage * r_model) / (n_t + shrinkage)
        std ** 2 = sum over t of P(t | x) (error_t ** 2 + (mean_t - mean) ** 2)

    where `r_model` is the model's mean over all rows and `error_t` the standard error of `mean_t`. So the
    error is small where the task is plain and well observed, and large where it could be one of several on
    which the model differs.

    Which model is best for a single prompt can hardly be learned; what kind of request it is, can. A row
    without a label counts towards the models' means alone; without any label this is the estimator `constant`.
    So it is for a request without an embedding. A model never observed gets 0.5 with an error of 0.5.

    Parameters: `shrinkage`, the weight of the model's mean in each task, in observations; `c`, how strongly the
    rows count against the classifier's penalty; `max_rows`, after which the oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> rewards = np.array([[1.0], [0.0]])
    >>> task = Task(shrinkage=0.0, c=1000.0)
    >>> task.learn(Outcomes(("small",), np.eye(2), rewards, gap, gap, tasks=("maths", "code")))
    >>> maths = Context("1 + 1", 3, embedding=np.array([1, 0], np.float32))
    >>> f"{task.predict([maths], [Candidate('small')]).mean[0, 0]:.3f}"
    '0.995'

    MoDEM (https://arxiv.org/abs/2410.07490); Composition of Experts (https://arxiv.org/abs/2412.01868).
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(self, shrinkage: float = 5.0, c: float = 10.0, max_rows: int = 100_000) -> None:
        if not 0 <= shrinkage < np.inf:
            raise ValueError(f"shrinkage={shrinkage} must not be negative")
        if not 0 < c < np.inf:
            raise ValueError(f"c={c} must be above 0")
        if max_rows < 1:
            raise ValueError(f"max_rows={max_rows} must be at least 1")
        self.shrinkage = shrinkage
        self.c = c
        self.max_rows = max_rows
        self._learned = self._fitted(Rows.empty(), np.zeros(0, np.str_))

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        rows, _, tasks = self._learned
        return estimate(tasks, rows, contexts, candidates)

    def tasks(self, context: Context) -> dict[str, float]:
        """Return how likely the request is of each task, to explain an estimate; nothing without an embedding."""
        _, _, tasks = self._learned
        if context.embedding is None or not len(tasks.names):
            return {}
        return dict(zip(tasks.names.tolist(), tasks.chances(context.embedding).tolist(), strict=True))

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows and their tasks, drop the oldest beyond `max_rows`, and fit again.

        A row without an embedding counts towards its models' means and its task's, and does not teach what a
        task looks like. Raises `ValueError` where the embeddings have another length than those learned before.
        """
        rows, labels, _ = self._learned
        new = np.array(outcomes.tasks or [""] * outcomes.n, np.str_)
        self._learned = self._fitted(
            rows.append(outcomes, self.max_rows), np.concatenate([labels, new])[-self.max_rows :]
        )

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows, their tasks, the classifier and the table."""
        rows, labels, tasks = self._learned
        return {**rows.state(), "labels": labels, **tasks.state()}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        labels = state["labels"][-self.max_rows :].astype(np.str_)
        self._learned = Rows.restored(state, self.max_rows), labels, _Tasks.restored(state)

    def _fitted(self, rows: Rows, labels: Labels) -> tuple[Rows, Labels, _Tasks]:
        known = rows.embeddings.any(axis=1) & (labels != "")
        names, coefficients, intercepts = _classifier(rows.embeddings[known], labels[known], self.c)
        means, errors = _table(rows, labels[:, None] == names, self.shrinkage)
        return rows, labels, _Tasks(names, coefficients, intercepts, means, errors)


def _classifier(points: FloatArray, labels: Labels, c: float) -> tuple[Labels, Array, Array]:
    """Fit labels `[n]` at points `[n, d]`; return the names `[t]`, coefficients `[t, d]` and intercepts `[t]`."""
    names = np.unique(labels)
    if len(names) <= 1:
        return names, np.zeros((len(names), points.shape[1])), np.zeros(len(names))
    return names, *separated(points, labels, c, steps=_MAX_STEPS, tolerance=_TOLERANCE)


def _table(rows: Rows, of_task: NDArray[np.bool_], shrinkage: float) -> tuple[Array, Array]:
    """Return means and their standard errors, both `[t, m]`, of the rows of each task, `of_task` `[n, t]`.

    Both are NaN for a model never observed.
    """
    observed = ~np.isnan(rows.rewards)
    rewards = np.where(observed, rows.rewards, 0).astype(np.float64)
    count, total, squares = (of_task.T.astype(np.float64) @ a for a in (observed.astype(float), rewards, rewards**2))
    evidence = count + shrinkage
    some, safe = evidence > 0, np.where(evidence > 0, evidence, 1)
    mean = np.where(some, (total + shrinkage * rows.tally.mean) / safe, rows.tally.mean)
    deviations = np.maximum(squares - 2 * mean * total + count * mean**2, 0) + shrinkage * rows.tally.variance
    variance = np.where(some, deviations / safe, rows.tally.variance)
    never = rows.tally.count == 0
    return np.where(never, np.nan, mean), np.where(never, np.nan, np.sqrt(variance / np.maximum(evidence, 1)))
