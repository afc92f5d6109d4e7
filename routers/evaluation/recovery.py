"""How soon a router is back where it was after the world has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

#: The share of a stream over which what was lost is averaged, before a change and right after it.
BEFORE: Final = 0.1
#: The share of a stream that shows that a router is back.
WINDOW: Final = 0.05
#: What may be left of what the change took.
LEFT: Final = 0.1
#: What only rounding leaves.
NOTHING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a change did to a router, in net reward of a request, and how long it took to be back.

    `before` is by how much it earned less than with full information before the change, `drop` by how much more it
    would have lost after it, had it learned nothing since. `rows` is the number of requests until no more than a tenth
    of that is left, None where that did not come about in time; 0 where there was nothing to lose.
    """

    before: float
    drop: float
    rows: int | None


def recovery(shortfall: Column, unaware: Column, start: int, end: int) -> Recovery:
    """Return how a router recovered from what changed at request `start`; `end` is where the world changes again.

    `shortfall` `[n]` is by how much each request earned less than with full information, on average over the seeds;
    `unaware` `[n]` the same of the router as it was at the change.
    """
    n = len(shortfall)
    before = float(shortfall[max(0, start - _rows(BEFORE, n)) : start].mean())
    drop = float(unaware[start:end].mean()) - before
    width = min(_rows(WINDOW, n), end - start)
    if drop <= NOTHING:
        return Recovery(before, drop, 0)
    sums = np.convolve(shortfall[start:end], np.ones(width), "valid") / width
    back = np.flatnonzero(sums <= before + LEFT * drop + NOTHING)
    return Recovery(before, drop, int(back[0]) + width if len(back) else None)


def _rows(share: float, n: int) -> int:
    return max(1, round(share * n))
