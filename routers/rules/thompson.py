"""As likely as it is to be the best."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.types import Estimate


class Thompson:
    """Take each candidate with the probability that it is the best, given how sure the estimates are.

    A utility is drawn for every candidate from a normal distribution with the estimate's mean and
    `temperature` standard errors, `draws` times; the probability is the share of draws that the candidate wins. The
    draws always come from the same `seed`, so that equal estimates give an equal distribution and
    what is logged is exactly what the choice was drawn from. A candidate that wins no draw has
    probability zero: give it a `Floor`.

    >>> from routers.types import Estimate
    >>> Thompson().distribution([Estimate(0.2, 0.01), Estimate(0.9, 0.01)])
    [0.0, 1.0]
    >>> sure, unsure = Estimate(0.5, 0.0), Estimate(0.5, 0.3)
    >>> [round(p, 1) for p in Thompson().distribution([sure, unsure])]
    [0.5, 0.5]

    Chapelle and Li, "An Empirical Evaluation of Thompson Sampling" (NIPS 2011).
    """

    def __init__(self, draws: int = 500, seed: int = 0, temperature: float = 1.0) -> None:
        if draws < 1:
            raise ValueError(f"draws={draws} must be at least 1")
        if not 0 <= temperature < math.inf:
            raise ValueError(f"temperature={temperature} must be 0 or more standard errors")
        self.draws = draws
        self.temperature = temperature
        self.seed = seed

    def distribution(self, utilities: Sequence[Estimate]) -> list[float]:
        """Return the share of draws that each candidate wins."""
        mean = np.array([utility.mean for utility in utilities])
        std = np.array([utility.std for utility in utilities])
        drawn = mean + self.temperature * std * _noise(self.draws, len(utilities), self.seed)
        wins = np.bincount(drawn.argmax(axis=1), minlength=len(utilities))
        return [float(won / self.draws) for won in wins]


@lru_cache(maxsize=64)
def _noise(draws: int, candidates: int, seed: int) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).standard_normal((draws, candidates))
    noise.setflags(write=False)
    return noise
