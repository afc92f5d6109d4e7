"""Bradley-Terry ratings: strengths of models from how often each beats each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.odds import sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Newton's method ends after so many steps, or with one that is this small.
ROUNDS, SMALL = 20, 1e-3
#: The longest step, in logits, so that ratings far apart are not overshot.
STEP = 2.0


def rate(wins: Array, towards: Array, prior: float) -> tuple[Array, Array]:
    """Return ratings `[m]` and their covariance `[m, m]` by the likelihood of who beat whom.

    `wins[a, b]` is how often a beat b, a tie being half a win of each. a beats b with probability
    `sigmoid(rating a - rating b)`. Each rating is drawn to that in `towards` `[m]` as by `prior` even battles,
    which must be above zero.

    >>> ratings, _ = rate(np.array([[0.0, 75.0], [25.0, 0.0]]), np.zeros(2), prior=1e-6)
    >>> np.round(np.exp(ratings[0] - ratings[1]), 3).item()
    3.0

    Bradley and Terry, "Rank Analysis of Incomplete Block Designs" (1952).
    """
    ratings, fought = towards, wins + wins.T
    won, pull = wins.sum(axis=1), prior / 4
    for _ in range(ROUNDS):
        expected = sigmoid(ratings[:, None] - ratings)
        slope = won - (fought * expected).sum(axis=1) - pull * (ratings - towards)
        spread = fought * expected * (1 - expected)
        information = np.diag(spread.sum(axis=1) + pull) - spread
        covariance = np.linalg.inv(information).astype(np.float64)
        step = np.clip((covariance * slope).sum(axis=1), -STEP, STEP)
        ratings = ratings + step
        if np.abs(step).max(initial=0.0) <= SMALL:
            break
    return ratings, covariance


def beaten(rewards: NDArray[np.floating], weights: Array) -> Array:
    """Return how often each model beat each, `[m, m]`, over rows of rewards `[k, m]` that weigh `[k]`.

    Any two models observed on a row fought there, and equal rewards are a tie. A row of `o` observations holds
    `o (o - 1) / 2` battles that are not independent; they weigh as many as `o / 2` that are.
    """
    shares = weights / np.maximum((~np.isnan(rewards)).sum(axis=1) - 1, 1)
    # What was not observed compares false with everything.
    one, other = rewards[:, :, None], rewards[:, None, :]
    results = (one > other).astype(np.float64)
    results += 0.5 * (one == other)
    counted = np.einsum("k,kab->ab", shares, results)
    np.fill_diagonal(counted, 0)
    return np.asarray(counted)


def battles_of(rewards: NDArray[np.floating]) -> tuple[Array, float]:
    """Return who beat whom over all rows, and the share of battles that were no ties.

    A thousand rows at a time: each takes a table of its own.
    """
    wins, ties = np.zeros((rewards.shape[1], rewards.shape[1])), 0.0
    for piece in np.array_split(rewards, max(len(rewards) // 1000, 1)):
        wins, ties = wins + beaten(piece, np.ones(len(piece))), ties + _ties(piece)
    return wins, 1 - ties / max(wins.sum(), 1.0)


def _ties(rewards: NDArray[np.floating]) -> float:
    """Count ties as `beaten` does, by the rows' shares."""
    tied = (rewards[:, :, None] == rewards[:, None, :]).sum(axis=(1, 2))
    observed = (~np.isnan(rewards)).sum(axis=1)
    return float(((tied - observed) / 2 / np.maximum(observed - 1, 1)).sum())
