"""What a forest knows: trees, the rewards in their leaves, and what rows look like to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.estimators.constant import averages
from routers.kinds import Kinds, out_of_fold
from routers.parts import below, prefixed
from routers.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from routers.rows import Rows
    from routers.types import FloatArray

    Arrays = Mapping[str, NDArray[np.generic]]

#: Of the embedding, so many directions are offered to the trees: those in which the rows differ most.
DIRECTIONS = 80


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees are grown: how many, the fewest rows in a leaf, the share of features tried, and the seed."""

    trees: int
    leaf: int
    share: float
    shrinkage: float
    seed: int


@dataclass(frozen=True, slots=True)
class View:
    """What trees see of an embedding `[d]`: its `directions` `[d, p]`, its last numbers, and the odds of its task."""

    directions: FloatArray
    plain: int
    kinds: Kinds

    def of(self, embeddings: FloatArray) -> FloatArray:
        """Return the features of requests, `[n, f]`."""
        return self.joined(embeddings, self.kinds.log_odds(embeddings))

    def joined(self, embeddings: FloatArray, odds: FloatArray) -> FloatArray:
        """Return the features `[n, f]`, given the odds. One row or many, the numbers are the same."""
        projected = np.stack([row @ self.directions for row in embeddings])
        plain = embeddings[:, embeddings.shape[1] - self.plain :]
        return np.concatenate([projected, plain, odds], axis=1, dtype=np.float32)

    @classmethod
    def fitted(cls, embeddings: FloatArray, tasks: NDArray[np.str_], plain: int, seed: int) -> tuple[View, FloatArray]:
        """Return the view, and the features of the rows that it was fitted to, of which none knows its own task."""
        known = sorted(set(tasks.tolist()) - {""})
        _, vectors = np.linalg.eigh(embeddings.T.astype(np.float64) @ embeddings.astype(np.float64))
        directions = np.ascontiguousarray(vectors[:, ::-1][:, :DIRECTIONS]).astype(np.float32)
        view = cls(directions, min(plain, embeddings.shape[1]), Kinds.of(embeddings, tasks, known))
        return view, view.joined(embeddings, out_of_fold(embeddings, tasks, known, seed))

    def state(self) -> Arrays:
        """Return its arrays."""
        return {"directions": self.directions, "plain": np.array(self.plain), **prefixed("kinds", self.kinds.state())}

    @classmethod
    def restored(cls, state: Arrays) -> View:
        """Return what `state` returned. Raises `KeyError`."""
        kinds = Kinds.restored(below("kinds", state))
        return cls(state["directions"].astype(np.float32), int(state["plain"]), kinds)


@dataclass(frozen=True, slots=True)
class Grove:
    """Trees, and for each of their nodes the mean reward of each model and the variance of that mean, `[nodes, m]`.

    Nodes that are not leaves have numbers too, which nobody asks for. All are rounded to half precision, as they are
    saved.
    """

    trees: Trees
    means: FloatArray
    variances: FloatArray

    @classmethod
    def grown(cls, features: FloatArray, rows: Rows, growth: Growth) -> Grove:
        """Grow trees that tell apart the rewards of rows with features `[n, f]`."""
        filled = np.where(np.isnan(rows.rewards), rows.tally.mean.astype(np.float32), rows.rewards)
        trees = Trees.grown(
            features, filled, trees=growth.trees, leaf=growth.leaf, share=growth.share, seed=growth.seed
        )
        means, variances = _leaf_values(trees.nodes, trees.leaves(features), rows, growth.shrinkage)
        rounded = (values.astype(np.float16).astype(np.float32) for values in (means, variances))
        return cls(trees, *rounded)

    def at(self, features: FloatArray) -> FloatArray:
        """Return mean and standard error of each model's reward, `[n, 2, m]`; NaN for a model never observed."""
        leaves = self.trees.leaves(features)
        said = [(self.means[reached].mean(axis=0), np.sqrt(self.variances[reached].mean(axis=0))) for reached in leaves]
        return np.array(said, np.float32)

    def state(self) -> Arrays:
        """Return its arrays."""
        values = {"means": self.means.astype(np.float16), "variances": self.variances.astype(np.float16)}
        return {**values, **prefixed("trees", self.trees.state())}

    @classmethod
    def restored(cls, state: Arrays) -> Grove:
        """Return what `state` returned. Raises `KeyError`."""
        means, variances = state["means"].astype(np.float32), state["variances"].astype(np.float32)
        return cls(Trees.restored(below("trees", state)), means, variances)


def _leaf_values(
    nodes: int, leaves: NDArray[np.int32], rows: Rows, shrinkage: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean of the rewards in each leaf, drawn to the model's mean, and its variance, both `[nodes, m]`."""
    observed = ~np.isnan(rows.rewards)
    rewards = np.where(observed, rows.rewards, 0).astype(np.float64)
    flat, trees = leaves.ravel(), leaves.shape[1]

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        columns = [np.bincount(flat, np.repeat(column, trees), minlength=nodes) for column in values.T]
        return np.stack(columns, axis=1)

    count, total, squares = summed(observed.astype(np.float64)), summed(rewards), summed(rewards**2)
    average, variance = averages(rows.tally)[0], rows.tally.variance
    evidence = count + shrinkage
    safe = np.where(evidence > 0, evidence, 1)
    mean = np.where(evidence > 0, (total + shrinkage * average) / safe, average)
    spread = np.maximum(squares - 2 * mean * total + count * mean**2 + variance, 0) / (count + 1)
    never = rows.tally.count == 0
    return np.where(never, np.nan, mean), np.where(never, np.nan, spread / np.maximum(evidence, 1))
