"""How likely each answer was to be judged: its lot is logged, but not all that is drawn is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Column, Indices

#: Standard errors by which fewer than all have to be judged, before chance is no longer taken for the reason.
SURE: Final = 2.0
#: Of what was drawn, so much is as good as all.
NEARLY: Final = 0.99


@dataclass(frozen=True, slots=True)
class Lots:
    """The probabilities of being judged of those who were, `chances` `[n]`, else NaN.

    `shares` `[m]` in [0, 1] is how many of each model's answers that were drawn were judged, about; None: all.
    """

    chances: Column
    shares: Column | None


def lots_of(sampled: Column, actions: Indices, models: int) -> Lots:
    """Return how likely answers were to be judged.

    `sampled` `[n]` is the logged probability of those that were judged, NaN for all others; `actions` `[n]` are the
    models that were drawn, of so many `models`.

    If every answer that was drawn was judged, each that was stands for one over its probability, and together they
    stand for all rows of a model, but for the luck of the lots (Horvitz and Thompson, 1952). Where they stand for
    clearly fewer (there was no answer, or too long a one, money had run out, a judge failed), that is the share of the
    drawn that were judged, and each probability is multiplied by it.
    """
    judged = np.isfinite(sampled)
    odds = np.where(judged, 1 / np.where(judged, sampled, 1.0), 0.0)
    rows = np.maximum(np.bincount(actions, minlength=models), 1)
    shares = np.bincount(actions, weights=odds, minlength=models) / rows
    # The variance that one row adds, as those that were judged tell of all.
    variance = float((odds * (odds - 1)).sum() / odds.sum()) if judged.any() else 0.0
    short = judged.any() and bool((shares < NEARLY - SURE * np.sqrt(variance / rows)).any())
    if not short:
        return Lots(sampled, None)
    shares = np.minimum(shares, 1.0)
    return Lots(sampled * shares[actions], shares)
