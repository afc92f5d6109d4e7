"""What scores mean: a curve from scores to chances, of the form that proved better on rows that it had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.calibration.isotonic import isotonic
from routers.odds import log_odds, sigmoid
from routers.platt import Platt

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Curved = tuple[Array, Array]

#: Below so many rows no curve is fitted.
LEAST_ROWS: Final = 20
#: No chance and no score is taken to be nearer to 0 or 1.
LEAST: Final = 0.005
#: Parts of the rows by which the form is chosen.
PARTS: Final = 5
#: Where the logistic curve is written down.
_GRID: Final = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class Curve:
    """Chances at some scores, both `[k]`, straight lines between; `n` rows speak for it.

    >>> Curve.identity().at(np.array([0.3])).tolist()
    [0.3]
    """

    n: int
    scores: Array
    chances: Array

    @classmethod
    def identity(cls) -> Curve:
        """Return the curve that takes a score for a chance, for which no row speaks."""
        return cls(0, np.array([0.0, 1.0]), np.array([0.0, 1.0]))

    @classmethod
    def fit(cls, scores: Array, rewards: Array) -> Curve | None:
        """Fit scores `[r]` in [0, 1] to rewards `[r]` in [0, 1]; None where there are too few.

        Isotonic regression, or Platt's logistic curve: whichever has the lower cross-validated log loss.
        """
        if len(scores) < LEAST_ROWS:
            return None
        form = min((platt, isotonic), key=lambda one: _unseen_loss(one, scores, rewards))
        return cls(len(scores), *form(scores, rewards))

    def at(self, scores: Array) -> Array:
        """Return the chances of scores; beyond the curve's ends, those of its ends."""
        return np.asarray(np.interp(scores, self.scores, self.chances))


def platt(scores: Array, rewards: Array) -> Curved:
    """Return Platt's curve of the scores' log odds, at evenly spaced scores: scores, and chances there."""
    fit = Platt.fit(log_odds(scores, LEAST)[:, None], rewards[:, None])
    return _GRID, sigmoid(fit.logits(log_odds(_GRID, LEAST)[:, None]))[:, 0]


def _unseen_loss(form: Callable[[Array, Array], Curved], scores: Array, rewards: Array) -> float:
    """Return the summed log loss on each fifth of the rows of what was fitted to the others."""
    # Shuffled, since rows may come in some order; always the same way.
    parts = np.random.default_rng(0).permutation(len(scores)) % PARTS
    return sum(
        _loss(
            np.interp(scores[parts == part], *form(scores[parts != part], rewards[parts != part])),
            rewards[parts == part],
        )
        for part in range(PARTS)
    )


def _loss(chances: Array, rewards: Array) -> float:
    held = np.clip(chances, LEAST, 1 - LEAST)
    return float(-(rewards * np.log(held) + (1 - rewards) * np.log1p(-held)).sum())
