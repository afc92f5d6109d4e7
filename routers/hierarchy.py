"""Linear models of several models' rewards that are drawn to each other: what one is asked tells of the others, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from routers.siblings import DISTANCE, stand_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Variance of a reward about what is expected of it.
NOISE: Final = 0.2
#: What is expected of a model of which nothing is known, and the variances of the pool about it and of models in it.
#: Models differ by more. But with variances as small as these first impressions count for little, a model that does
#: well keeps its lead step by step, and one that was unlucky is not given up: of many models, the best is found sooner.
MIDDLE: Final = 0.6
POOL_VARIANCE: Final = 0.005
MODEL_VARIANCE: Final = 0.004
#: Variance of the level of a model that nobody has asked: as great as that of a reward can be, so that it is asked.
NEWCOMER_VARIANCE: Final = 0.25
#: Variances of slopes that are tried: those that models share, and by which one differs from the others.
SHARED: Final = (0.03, 0.1, 0.3)
OWN: Final = (0.0005, 0.003, 0.01, 0.03, 0.1)
#: Imagined rows that keep the spread of few requests from being taken for that of all.
IMAGINED: Final = 10.0
_LEAST: Final = 1e-9


class Moments(NamedTuple):
    """Sums over the rows of each model: `squares` `[m, d, d]` of z z', `products` `[m, d]` of r z, `rewards` of r^2.

    The first feature is 1.
    """

    squares: Array
    products: Array
    rewards: Array


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Posteriors of `m` models: `basis` `[d, k]` makes `k` directions of the `d` features.

    `slopes` `[m + 1, k]` are the means of the weights, `spreads` `[m + 1, k, k]` their covariances; the last are those
    of a model that nobody has asked yet.
    """

    models: tuple[str, ...]
    basis: Array
    slopes: Array
    spreads: Array

    @classmethod
    def of(cls, models: Sequence[str], moments: Moments, directions: int) -> Hierarchy:
        """Return what is believed after these sums, of all models together.

        A model's weights are the pool's, plus its own deviation. Directions are those in which requests differ most;
        how much slopes vary is whichever of a few variances makes the rewards likeliest (empirical Bayes).
        """
        basis = _basis(moments.squares.sum(axis=0), directions)
        squares = basis.T @ moments.squares @ basis / NOISE
        start = np.zeros(basis.shape[1])
        start[0] = MIDDLE
        products = moments.products @ basis / NOISE - squares @ start
        fits = [_Fit.of(squares, products, own, shared) for own in OWN for shared in SHARED]
        best = max(fits, key=lambda fit: fit.evidence)
        newcomers_spread = np.diag([NEWCOMER_VARIANCE, *best.own[1:]])
        return cls(
            tuple(models),
            basis,
            start + best.pool + np.vstack([best.deviations, np.zeros_like(start)]),
            np.concatenate([best.spreads, newcomers_spread[None]]),
        )

    def at(self, features: Array, models: Sequence[str], slope_doubt: float) -> Array:
        """Return means and standard errors of models for one request, `[2, m]`.

        Of the doubt about slopes only `slope_doubt` of the variance counts, that about a model's mean fully.
        """
        places = {model: place for place, model in enumerate(self.models)}
        siblings = [stand_in(model, self.models) for model in models]
        known = (sibling or model for sibling, model in zip(siblings, models, strict=True))
        rows = [places.get(model, len(places)) for model in known]
        point, spreads = features @ self.basis, self.spreads[rows]
        level, whole = spreads[:, 0, 0], spreads @ point @ point
        doubt = DISTANCE**2 * np.array([sibling is not None for sibling in siblings])
        error = np.sqrt(level + doubt + slope_doubt * np.maximum(whole - level, 0.0))
        return np.stack([self.slopes[rows] @ point, error])


class _Fit(NamedTuple):
    """What follows from one pair of variances; `own` are those of a model about the pool."""

    evidence: float
    own: Array
    pool: Array
    deviations: Array
    spreads: Array

    @classmethod
    def of(cls, squares: Array, products: Array, own: float, shared: float) -> _Fit:
        """Return the posterior, integrating the pool's weights out of the models', and how likely the rewards are."""
        k = squares.shape[-1]
        own_variances = np.array([MODEL_VARIANCE, *[own] * (k - 1)])
        pool_variances = np.array([POOL_VARIANCE, *[shared] * (k - 1)])
        spreads = np.linalg.inv(squares + np.diag(1 / own_variances))
        alone = (spreads @ products[:, :, None])[:, :, 0]
        seen = squares @ spreads
        precision = (squares - seen @ squares).sum(axis=0) + np.diag(1 / pool_variances)
        pull = (alone / own_variances).sum(axis=0)
        pool = np.linalg.solve(precision, pull)
        deviations = alone - (spreads @ (squares @ pool)[:, :, None])[:, :, 0]
        evidence = (
            0.5 * np.linalg.slogdet(spreads)[1].sum()
            - 0.5 * len(squares) * np.log(own_variances).sum()
            + 0.5 * (products * alone).sum()
            - 0.5 * np.linalg.slogdet(precision)[1]
            - 0.5 * np.log(pool_variances).sum()
            + 0.5 * pull @ pool
        )
        return cls(float(evidence), own_variances, pool, deviations, np.asarray(spreads, np.float64))


def _basis(squares: Array, directions: int) -> Array:
    """Return directions in which requests differ, `[d, k]`, the first of which is the level.

    They are scaled so that those with more spread may have more weight, and all together vary by one.
    """
    rows = squares[0, 0]
    imagined = IMAGINED * np.eye(len(squares) - 1) / (len(squares) - 1)
    center = squares[1:, 0] / (rows + IMAGINED)
    spread = (squares[1:, 1:] + imagined) / (rows + IMAGINED) - np.outer(center, center)
    values, vectors = np.linalg.eigh(spread)
    kept = np.maximum(values[::-1][:directions], _LEAST)
    slopes = vectors[:, ::-1][:, :directions] * np.sqrt(kept / (kept**2).sum())
    basis = np.zeros((len(squares), 1 + slopes.shape[1]))
    basis[0, 0] = 1.0
    basis[1:, 1:] = slopes
    basis[0, 1:] = -center @ slopes
    return basis
