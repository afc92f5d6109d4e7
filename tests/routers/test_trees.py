import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor

from routers.trees import DEEPEST, Trees


@pytest.mark.parametrize("rows", [1, 700])
def test_rows_reach_the_leaves_that_scikit_learn_sends_them_to(rows):
    """The walk over arrays is the walk over its trees, also for numbers that lie on a threshold."""
    generator = np.random.default_rng(0)
    features = generator.integers(0, 5, (800, 6)).astype(np.float32) / 3
    targets = generator.random((800, 3)).astype(np.float32)
    options = {"min_samples_leaf": 3, "max_features": 0.5, "max_depth": DEEPEST, "random_state": 0}
    theirs = ExtraTreesRegressor(20, **options).fit(features, targets)
    ours = Trees.grown(features, targets, trees=20, leaf=3, share=0.5, seed=0)

    assert np.array_equal(theirs.apply(features[:rows]), ours.leaves(features[:rows]) - ours.roots)


def test_no_rows_reach_no_leaves():
    """And no trees have none."""
    trees = Trees.grown(np.zeros((4, 1), np.float32), np.zeros((4, 1), np.float32), trees=2, leaf=1, share=1, seed=0)

    assert (0, 2) == trees.leaves(np.zeros((0, 1), np.float32)).shape
    assert (3, 0) == Trees.none().leaves(np.zeros((3, 1), np.float32)).shape


def test_restores_what_it_holds():
    """From plain arrays."""
    generator = np.random.default_rng(1)
    features, targets = generator.random((50, 2)).astype(np.float32), generator.random((50, 2)).astype(np.float32)
    trees = Trees.grown(features, targets, trees=3, leaf=2, share=1.0, seed=0)

    assert np.array_equal(trees.leaves(features), Trees.restored(trees.state()).leaves(features))
