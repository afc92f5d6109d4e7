"""Which probes to ask a model of which nothing is known."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: A probe that the known models pass, or fail, with all but this chance is foregone.
_FOREGONE = 0.02


def choose_probes(chances: Array, tasks: Sequence[str], number: int, rng: Random) -> list[int]:
    """Return which of `n` probes tell most of any newcomer, by number: as many of each task as of any other.

    `chances` `[n, m]` is what is expected of the known models. A probe that all of them pass, or all fail, tells
    nothing as a rule, and comes last. Among the rest chance decides: those in which the known models differ most
    are not like what a model will be asked, and an interval that rests on them is not honest.

    >>> from random import Random
    >>> choose_probes(np.array([[0.99], [0.5], [0.6]]), ["sums", "sums", "capitals"], 2, Random(0))
    [1, 2]
    """
    average = chances.mean(axis=1) if chances.shape[1] else np.full(len(chances), 0.5)
    foregone = np.abs(average - 0.5) > 0.5 - _FOREGONE
    order = sorted(range(len(tasks)), key=lambda n: (foregone[n], rng.random()))
    asked: Counter[str] = Counter()
    turns = []
    for probe in order:
        turns.append((bool(foregone[probe]), asked[tasks[probe]], rng.random(), probe))
        asked[tasks[probe]] += 1
    return sorted(probe for *_, probe in sorted(turns)[:number])
