"""Parts of the rows, of which each is judged by what was learned from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Indices

#: Into how many parts the rows are split.
FOLDS: Final = 5


def folds_of(clusters: Indices, seed: int = 0) -> Indices:
    """Return the part of each row, `[n]` in 0 to `FOLDS` - 1: rows of one cluster are in the same."""
    _, places = np.unique(clusters, return_inverse=True)
    parts = np.random.default_rng(seed).permutation(np.arange(places.max(initial=-1) + 1) % FOLDS)
    return np.asarray(parts[places], np.intp)
