"""What expectations go by: where a request lies, and how long it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Column, Matrix
    from routers.types import FloatArray

#: Principal components of the embeddings that are kept.
COMPONENTS: Final = 16
#: How many columns tell of the length.
LENGTHS: Final = 2


def features_of(embeddings: FloatArray, tokens: Column) -> Matrix:
    """Return the features of the rows, `[n, k + 2]`: `LENGTHS` of the length, then the embedding's components.

    `embeddings` `[n, d]` are zeros where there is none, and so are their components. The first component has the
    variance one, and the others as much less as they have. `tokens` `[n]` is how long the prompts are.
    """
    lengths = np.column_stack([_standard(np.log1p(tokens)), _standard(tokens)])
    there = (embeddings != 0).any(axis=1)
    if there.sum() < 2:
        return lengths
    centred = np.where(there[:, None], embeddings - embeddings[there].mean(axis=0), 0.0)
    variances, directions = np.linalg.eigh(centred.T @ centred / there.sum())
    if variances[-1] <= 0:
        return lengths
    components = centred @ directions[:, ::-1][:, :COMPONENTS] / np.sqrt(variances[-1])
    return np.column_stack([lengths, components])


def _standard(values: Column) -> Column:
    """Return values with the mean zero and the variance one; zeros where they are all the same."""
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
