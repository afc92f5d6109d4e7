"""Whether a model is still what it was: changes of its level, found in what it earned by spans of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Variance of the level before and after a change.
JUMP: Final = 0.04
#: How much likelier, as a logarithm, a change has to make what was observed. Where nothing changes it gets there for
#: one model in a few hundred, however often one looks (Ville's inequality says e^-8, were the noise known and the level
#: too); a change that is none costs trying the model again.
SURE: Final = 8.0


def last_change(counts: Array, excesses: Array, noise: float) -> int | None:
    """Return the place `[s]` at which a model's level last changed; None where nothing says that it did.

    `counts` `[s]` are rewards in successive spans, `excesses` `[s]` the sums of what they exceeded expectation by,
    `noise` the variance of one. A level that is constant within a stretch is integrated out, normal with variance
    `JUMP`. A stretch is cut where two levels are likelier than one, and so is what comes after the cut; every place for
    a cut is as likely as the others beforehand.

    >>> counts = np.full(6, 50.0)
    >>> last_change(counts, counts * [0.2, 0.2, 0.2, -0.2, -0.2, -0.2], 0.2), last_change(counts, counts * 0.1, 0.2)
    (3, None)

    Barry and Hartigan, "A Bayesian analysis for change point problems" (JASA 88, 1993), one cut at a time; Shafer et
    al., "Test martingales, Bayes factors and p-values" (Statistical Science 26, 2011), on looking again and again.
    """
    start, found = 0, None
    while (cut := _cut(counts[start:], excesses[start:], noise)) is not None:
        start += cut
        found = start
    return found


def _cut(counts: Array, excesses: Array, noise: float) -> int | None:
    if len(counts) < 2:
        return None
    before, after = np.cumsum(counts)[:-1], np.cumsum(excesses)[:-1]
    gains = (
        _likelihood(before, after, noise)
        + _likelihood(counts.sum() - before, excesses.sum() - after, noise)
        - _likelihood(counts.sum(), excesses.sum(), noise)
    )
    best = int(gains.argmax())
    return best + 1 if gains[best] > SURE + np.log(len(gains)) else None


def _likelihood(counts: Array, excesses: Array, noise: float) -> Array:
    """Return the logarithm of how likely rewards are that share an unknown level, beside that of a level of zero."""
    share = counts * JUMP / noise
    return np.asarray(0.5 * (excesses**2 * JUMP / (noise**2 * (1 + share)) - np.log1p(share)))
