"""A strong and a weak model: how well does a router choose which requests get the strong one?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.evaluation.hull import first_reach

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """What is said of the choice between a strong and a weak model, after RouteLLM. None: the strong one is not better.

    `apgr` is the average performance gap recovered over all shares of calls to the strong model: 0.5 is what
    chance recovers, 1 what the strong model has with every call (a router that knows when the weak one is better
    can exceed it). `cpt50` and `cpt80` are the least shares that recover half and four fifths of the gap.
    """

    apgr: float | None
    cpt50: float | None
    cpt80: float | None


def recovered(quality: ArrayLike, weak: float, strong: float) -> Column:
    """Return the performance gap recovered (PGR): 0 at the weak model's quality, 1 at the strong one's."""
    return (np.asarray(quality, np.float64) - weak) / (strong - weak)


def judge_pair(share: Column, quality: Column, weak: float, strong: float) -> Pair:
    """Judge a curve of the quality at shares of calls to the strong model, both `[k]`.

    Never and always calling it are two points more. `weak` and `strong` are the qualities of the models alone.

    >>> judge_pair(np.array([0.5]), np.array([0.75]), weak=0.5, strong=1.0)
    Pair(apgr=0.5, cpt50=0.5, cpt80=0.8)
    """
    if not strong > weak:
        return Pair(None, None, None)
    shares = np.concatenate([[0.0], share, [1.0]])
    gaps = recovered(np.concatenate([[weak], quality, [strong]]), weak, strong)
    order = np.lexsort((gaps, shares))
    shares, gaps = shares[order], gaps[order]
    return Pair(
        apgr=float(np.trapezoid(gaps, shares)),
        cpt50=first_reach(shares, gaps, 0.5),
        cpt80=first_reach(shares, gaps, 0.8),
    )
