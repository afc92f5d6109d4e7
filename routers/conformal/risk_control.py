"""The boldest setting whose expected risk is low enough: conformal risk control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.conformal.learning_then_testing import growing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def controlled(losses: Array, alpha: float, most: float = 1.0) -> int | None:
    """Return the boldest setting of which a loss of at most alpha is expected; None where even the first is too bold.

    `losses` is `[s, n]`, at most `most` each, of settings from the most timid to the boldest. The expectation is over
    the rows too: with other rows it may be above alpha, as often as not. For a confidence there is
    `learning_then_testing.certify`. Losses are made to grow along the path first.

    Angelopoulos et al., "Conformal Risk Control" (https://arxiv.org/abs/2208.02814). Raises `ValueError` for a loss
    above `most`.

    >>> import numpy as np
    >>> controlled(np.array([[0.0] * 9, [0.0] * 8 + [1.0], [1.0] * 9]), alpha=0.2)
    1
    """
    if losses.size and losses.max() > most:
        raise ValueError(f"a loss of {losses.max()} is above most={most}")
    n = losses.shape[1]
    risks = (growing(losses).sum(axis=1) + most) / (n + 1)
    within = int((risks <= alpha + 1e-12).sum())
    return within - 1 if within else None
