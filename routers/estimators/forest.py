"""Extremely randomised trees over meaning, wording, looks and kind of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread
from routers.description import Kinds, Tongue, out_of_fold, scaled
from routers.fit import averages
from routers.parts import below, prefixed
from routers.rows import Rows
from routers.trees import Trees
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, FloatArray, Outcomes

    Arrays = Mapping[str, NDArray[np.generic]]

#: Of the embedding, so many directions are offered to the trees: those in which the rows differ most.
DIRECTIONS = 60
#: Fewer rows than this grow no trees.
FEWEST_ROWS = 20


@dataclass(frozen=True, slots=True)
class _Learned:
    """The rows, how their texts read, and what they are labelled: never changed, only replaced."""

    rows: Rows
    readings: FloatArray  # [n, r]: wording and looks
    tasks: NDArray[np.str_]  # [n], empty where there is no label
    tongue: Tongue | None


@dataclass(frozen=True, slots=True)
class _Grown:
    """What was fitted: `directions` `[d, p]`, the tasks, the trees, and what the rows of each leaf were rewarded."""

    directions: FloatArray
    kinds: Kinds
    trees: Trees
    means: FloatArray  # [nodes, m]
    variances: FloatArray  # [nodes, m]: of the mean


class Forest:
    """Estimate a reward as the mean over trees of the rewards in the leaf that the request falls into.

    The trees are grown on the embedding's main directions, on the wording (latent semantic analysis of hashed words
    and character n-grams), on looks (length, digits, lines, ...), and, where outcomes are labelled with tasks, on the
    odds of each task, told by a classifier that had not seen the row. So a router that is never told the task knows
    what it can of it, and differs within a task where that pays.

    Each split is drawn: a random threshold for each of a random `share` of the features, of which the best is taken.
    In a leaf with rewards `r` of a model,

        mean = (sum r + shrinkage * r_model) / (n + shrinkage)

    with the model's mean `r_model`; the standard error is that of such a leaf, as if the trees agreed. A request
    without an embedding gets the model's mean. What reads the texts is fitted to the first batch of outcomes and
    stays; all else is fitted anew to all rows whenever outcomes are learned.

    Parameters: `trees`, how many; `leaf`, the fewest rows in a leaf; `share`, of the features, tried at a split;
    `shrinkage`, the weight of the model's mean, in observations; `seed` of what is drawn; `max_rows`, after which the
    oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((40, 1), np.nan, np.float32)
    >>> sides = np.tile(np.array([[1, 0], [0, 1]], np.float32), (20, 1))
    >>> forest = Forest(trees=10, leaf=5)
    >>> forest.learn(Outcomes(("small",), sides, sides[:, :1], gap, gap))
    >>> forest.predict([Context("", 2, side) for side in sides[:2]], [Candidate("small")]).mean.round(1).tolist()
    [[1.0], [0.0]]

    Geurts, Ernst and Wehenkel, "Extremely randomized trees" (https://doi.org/10.1007/s10994-006-6226-1).
    """

    requires: frozenset[str] = frozenset({"embedding"})
    #: What reads the texts depends on which outcomes came first.
    learns_in_batches = True

    def __init__(
        self,
        trees: int = 100,
        leaf: int = 10,
        share: float = 0.5,
        *,
        shrinkage: float = 1.0,
        seed: int = 0,
        max_rows: int = 100_000,
    ) -> None:
        if trees < 1 or leaf < 1 or max_rows < 1:
            raise ValueError(f"trees={trees}, leaf={leaf} and max_rows={max_rows} must be at least 1")
        if not 0 < share <= 1:
            raise ValueError(f"share={share} must be above 0 and at most 1")
        if shrinkage < 0:
            raise ValueError(f"shrinkage={shrinkage} must not be negative")
        self.trees = trees
        self.leaf = leaf
        self.share = share
        self.shrinkage = shrinkage
        self.seed = seed
        self.max_rows = max_rows
        self._learned = _Learned(Rows.empty(), np.zeros((0, 0), np.float32), np.zeros(0, np.str_), None)
        self._grown: _Grown | None = None

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        learned, grown = self._learned, self._grown
        models = [candidate.model for candidate in candidates]
        average = averages(learned.rows.tally.of_models(models))
        mean = np.tile(average[0].astype(np.float32), (len(contexts), 1))
        std = np.tile(average[1].astype(np.float32), (len(contexts), 1))
        told = [row for row, context in enumerate(contexts) if context.embedding is not None]
        if grown is not None and told:
            leaves = grown.trees.leaves(self._features(learned, grown, [contexts[row] for row in told]))
            for row, reached in zip(told, leaves, strict=True):
                of_leaf = np.stack([grown.means[reached].mean(axis=0), np.sqrt(grown.variances[reached].mean(axis=0))])
                said = spread(of_leaf, learned.rows.models, models, np.nan)
                mean[row], std[row] = np.where(np.isnan(said), (mean[row], std[row]), said)
        return Estimates(mean, std)

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, drop the oldest beyond `max_rows`, and grow the trees anew.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        before = self._learned
        rows = before.rows.append(outcomes, self.max_rows)
        tongue = before.tongue or (Tongue.of(outcomes.texts, self.seed) if outcomes.texts else None)
        readings = _readings(outcomes, tongue)
        old = (
            before.readings
            if before.readings.shape[1:] == readings.shape[1:]
            else np.zeros((len(before.readings), readings.shape[1]), np.float32)
        )
        tasks = np.array(outcomes.tasks or [""] * outcomes.n, np.str_)
        learned = _Learned(
            rows,
            np.concatenate([old, readings])[-self.max_rows :],
            np.concatenate([before.tasks, tasks])[-self.max_rows :],
            tongue,
        )
        self._learned, self._grown = learned, self._grow(learned)

    def state(self) -> Arrays:
        """Return the rows, what reads texts, and what was grown."""
        learned, grown = self._learned, self._grown
        tongue = prefixed("tongue", learned.tongue.state()) if learned.tongue else {}
        fitted = {} if grown is None else prefixed("grown", _state(grown))
        rows = prefixed("rows", learned.rows.state())
        return {**rows, "readings": learned.readings.astype(np.float16), "tasks": learned.tasks, **tongue, **fitted}

    def restore(self, state: Arrays) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        tongue, fitted = below("tongue", state), below("grown", state)
        self._learned = _Learned(
            Rows.restored(below("rows", state), self.max_rows),
            state["readings"][-self.max_rows :].astype(np.float32),
            state["tasks"][-self.max_rows :].astype(np.str_),
            Tongue.restored(tongue) if tongue else None,
        )
        self._grown = _restored(fitted) if fitted else None

    def _features(self, learned: _Learned, grown: _Grown, contexts: Sequence[Context]) -> FloatArray:
        for context in contexts:
            learned.rows.check_length(len(context.embedding if context.embedding is not None else ()))
        embeddings = np.stack([context.embedding for context in contexts if context.embedding is not None])
        nothing = np.zeros((len(contexts), learned.readings.shape[1]), np.float32)
        tongue = learned.tongue
        readings = np.stack([tongue.read(context.text) for context in contexts]) if tongue else nothing
        return _joined(embeddings, readings, grown.directions, grown.kinds.log_odds(_told(embeddings, readings)))

    def _grow(self, learned: _Learned) -> _Grown | None:
        rows = learned.rows
        used = np.flatnonzero((rows.embeddings != 0).any(axis=1) & ~np.isnan(rows.rewards).all(axis=1))
        if len(used) < max(FEWEST_ROWS, 2 * self.leaf):
            return None
        embeddings, readings, tasks = rows.embeddings[used], learned.readings[used], learned.tasks[used]
        known = sorted(set(tasks.tolist()) - {""})
        told, directions = _told(embeddings, readings), _directions(embeddings)
        features = _joined(embeddings, readings, directions, out_of_fold(told, tasks, known, self.seed))
        rewards, average = rows.rewards[used], rows.tally.mean.astype(np.float32)
        filled = np.where(np.isnan(rewards), average, rewards)
        trees = Trees.grown(features, filled, trees=self.trees, leaf=self.leaf, share=self.share, seed=self.seed)
        means, variances = self._leaf_values(trees, trees.leaves(features), rewards, rows)
        return _Grown(directions, Kinds.of(told, tasks, known), trees, means, variances)

    def _leaf_values(
        self, trees: Trees, leaves: NDArray[np.int32], rewards: FloatArray, rows: Rows
    ) -> tuple[FloatArray, FloatArray]:
        """Return each leaf's mean reward of each model, and the variance of that mean, both `[nodes, m]`."""
        shape = (trees.nodes, len(rows.models))
        means, variances = np.empty(shape, np.float32), np.empty(shape, np.float32)
        flat = leaves.ravel()
        for column, average in enumerate(rows.tally.mean):
            observed = ~np.isnan(rewards[:, column])
            known = np.where(observed, rewards[:, column], 0).astype(np.float64)
            weights = [np.repeat(values, leaves.shape[1]) for values in (observed.astype(float), known, known**2)]
            count, total, squares = (np.bincount(flat, values, minlength=trees.nodes) for values in weights)
            evidence = np.maximum(count + self.shrinkage, 1e-12)
            mean = np.where(evidence > 1e-12, (total + self.shrinkage * average) / evidence, average)
            prior = rows.tally.variance[column]
            variance = (squares - 2 * mean * total + count * mean**2 + prior) / (count + 1)
            means[:, column], variances[:, column] = mean, np.maximum(variance, 0) / np.maximum(evidence, 1)
        # Rounded as they are saved, so that what is loaded is exactly what was saved.
        return means.astype(np.float16).astype(np.float32), variances.astype(np.float16).astype(np.float32)


def _readings(outcomes: Outcomes, tongue: Tongue | None) -> FloatArray:
    if tongue is None:
        return np.zeros((outcomes.n, 0), np.float32)
    return np.stack([tongue.read(text) for text in outcomes.texts or [""] * outcomes.n])


def _told(embeddings: FloatArray, readings: FloatArray) -> FloatArray:
    """Return what tasks are told apart by."""
    return np.concatenate([scaled(embeddings), readings], axis=1)


def _joined(embeddings: FloatArray, readings: FloatArray, directions: FloatArray, odds: FloatArray) -> FloatArray:
    """Return what trees are grown on. One row or many, the numbers are the same."""
    projected = np.stack([(row[:, None] * directions).sum(axis=0) for row in embeddings])
    return np.concatenate([projected, readings, odds], axis=1, dtype=np.float32)


def _directions(embeddings: FloatArray) -> FloatArray:
    """Return the main directions of the rows, `[d, p]`."""
    values, vectors = np.linalg.eigh(embeddings.T.astype(np.float64) @ embeddings.astype(np.float64))
    return np.ascontiguousarray(vectors[:, np.argsort(-values)[:DIRECTIONS]]).astype(np.float32)


def _state(grown: _Grown) -> Arrays:
    return {
        "directions": grown.directions,
        "means": grown.means.astype(np.float16),
        "variances": grown.variances.astype(np.float16),
        "known": np.array(grown.kinds.tasks, np.str_),
        "coefficients": grown.kinds.coefficients,
        "intercepts": grown.kinds.intercepts,
        **prefixed("trees", grown.trees.state()),
    }


def _restored(state: Arrays) -> _Grown:
    kinds = Kinds(
        tuple(state["known"].tolist()), state["coefficients"].astype(np.float32), state["intercepts"].astype(np.float32)
    )
    return _Grown(
        state["directions"].astype(np.float32),
        kinds,
        Trees.restored(below("trees", state)),
        state["means"].astype(np.float32),
        state["variances"].astype(np.float32),
    )
