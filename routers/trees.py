"""Trees as arrays: grown by scikit-learn, walked by numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from routers.types import FloatArray

#: Levels of a tree. Few rows get further, and a request pays for every level.
DEEPEST = 14
#: Rows that are walked down at once: the walk keeps a number for each row and tree.
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Trees:
    """Nodes of all trees in one list; `roots` `[t]` are those to start from.

    The children of node i are `children[2 * i]`, where a row goes whose `feature` is at most `threshold`, and
    `children[2 * i + 1]`, for the others. Those of a leaf are the leaf itself.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: FloatArray
    children: NDArray[np.int32]
    depth: int

    @classmethod
    def none(cls) -> Trees:
        """Return no trees."""
        nodes = np.zeros(0, np.int32)
        return cls(nodes, np.zeros(0, np.int16), np.zeros(0, np.float32), nodes, 0)

    @classmethod
    def grown(
        cls, features: FloatArray, targets: FloatArray, *, trees: int, leaf: int, share: float, seed: int
    ) -> Trees:
        """Grow extremely randomised trees, that tell targets `[n, m]` apart, with at least `leaf` rows in a leaf."""
        from sklearn.ensemble import ExtraTreesRegressor

        forest = ExtraTreesRegressor(
            trees, min_samples_leaf=leaf, max_features=share, max_depth=DEEPEST, n_jobs=-1, random_state=seed
        )
        forest.fit(features, targets if targets.shape[1] > 1 else targets.ravel())
        grown = [tree.tree_ for tree in forest.estimators_]
        starts = np.concatenate([[0], np.cumsum([tree.node_count for tree in grown])])
        children = [_placed(tree, start) for tree, start in zip(grown, starts[:-1], strict=True)]
        return cls(
            roots=starts[:-1].astype(np.int32),
            feature=np.concatenate([np.maximum(tree.feature, 0) for tree in grown]).astype(np.int16),
            # Rounded down, a threshold lies on the same side of every number in single precision.
            threshold=_rounded_down(np.concatenate([tree.threshold for tree in grown])),
            children=np.concatenate(children),
            depth=max(tree.max_depth for tree in grown),
        )

    @property
    def nodes(self) -> int:
        """Return the number of nodes."""
        return len(self.feature)

    def leaves(self, features: FloatArray) -> NDArray[np.int32]:
        """Return the leaf that each row reaches in each tree, `[n, t]`."""
        blocks = [self._walk(features[start : start + _BLOCK]) for start in range(0, len(features), _BLOCK)]
        return np.concatenate(blocks) if blocks else np.zeros((0, len(self.roots)), np.int32)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return its arrays."""
        return {
            "roots": self.roots,
            "feature": self.feature,
            "threshold": self.threshold,
            "children": self.children,
            "depth": np.array(self.depth),
        }

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]]) -> Trees:
        """Return what `state` returned. Raises `KeyError`."""
        return cls(
            roots=state["roots"].astype(np.int32),
            feature=state["feature"].astype(np.int16),
            threshold=state["threshold"].astype(np.float32),
            children=state["children"].astype(np.int32),
            depth=int(state["depth"]),
        )

    def _walk(self, features: FloatArray) -> NDArray[np.int32]:
        places = np.tile(self.roots, len(features))
        numbers = np.ascontiguousarray(features).ravel()
        starts = np.repeat(np.arange(len(features)) * features.shape[1], len(self.roots)) if len(features) > 1 else 0
        for _ in range(self.depth):
            above = numbers.take(self.feature.take(places) + starts) > self.threshold.take(places)
            places = self.children.take(2 * places + above)
        return places.reshape(len(features), -1)


def _rounded_down(values: NDArray[np.float64]) -> FloatArray:
    rounded = values.astype(np.float32)
    return np.where(rounded > values, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _placed(tree: Any, start: int) -> NDArray[np.int32]:
    """Return the children of a tree's nodes as places among all nodes; a leaf, which has none, is its own."""
    both = np.stack([tree.children_left, tree.children_right], axis=1)
    own = np.arange(len(both))[:, None]
    return (np.where(both >= 0, both, own) + start).astype(np.int32).ravel()
