"""What was seen of two policies, as sums: whatever the order in which it comes, and from how many replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

#: Into so many clusters the units are dealt, at random: how much the clusters differ tells how much chance there is.
CLUSTERS: Final = 256
#: A value beyond this counts as this much: no measure has it, and sums are bounded.
LARGEST: Final = 1e6
#: Columns of a cluster: weights for the candidate and for the live policy, values times weights, controls, overlap.
COLUMNS: Final = 7
#: What is summed over all clusters: rows of the candidate's side and of the live one, squared weights, their product.
TOTALS: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one answer: to which unit's cluster it belongs, and its weights for each policy.

    Requests of a unit (a session) are served by the same side and are alike; units are independent of each other.
    """

    measure: str
    cluster: int
    value: float
    candidate: float
    live: float
    #: What both weights are on average.
    overlap: float = 0.0
    controls: tuple[float, float] = (0.0, 0.0)
    #: Whether the candidate's side served it.
    promoted: bool = False


def sums_of(rows: Iterable[Row]) -> Sums:
    """Return the sums of rows: for each measure those of every cluster, and how many rows there were on each side.

    >>> both = [Row("errors", 0, 1.0, 0.5, 0.0, promoted=True), Row("errors", 1, 0.0, 0.0, 0.5)]
    >>> sums_of(both) == sums_of(both[:1]) + sums_of(both[1:])
    True
    """
    known = list(rows)
    numbers = np.reshape([(*_columns(row), *_totals(row)) for row in known], (-1, COLUMNS + TOTALS))
    # Rounded row by row, before they are added: rounded together, they would come to something else in other groups.
    fixed = Sums.of({"": numbers}).parts[""]
    parts: dict[str, NDArray[np.int64]] = {}
    for measure in {row.measure for row in known}:
        mine = [place for place, row in enumerate(known) if row.measure == measure]
        found = np.zeros((CLUSTERS, COLUMNS), np.int64)
        np.add.at(found, [known[place].cluster % CLUSTERS for place in mine], fixed[mine, :COLUMNS])
        parts |= {measure: found, f"{measure}:totals": fixed[mine, COLUMNS:].sum(axis=0)}
    return Sums(parts)


def clusters_of(sums: Sums, measure: str) -> NDArray[np.float64]:
    """Return the columns of every cluster, [clusters, 7]; zeros where nothing was seen."""
    return sums[measure] if measure in sums.parts else np.zeros((CLUSTERS, COLUMNS))


def totals_of(sums: Sums, measure: str) -> NDArray[np.float64]:
    """Return rows of the candidate's side and of the live one, and sums of squared weights: both, and their product."""
    name = f"{measure}:totals"
    return sums[name] if name in sums.parts else np.zeros(TOTALS)


def _columns(row: Row) -> tuple[float, ...]:
    value = min(max(row.value, -LARGEST), LARGEST)
    return (row.candidate, row.live, row.candidate * value, row.live * value, *row.controls, row.overlap)


def _totals(row: Row) -> tuple[float, ...]:
    return (row.promoted, not row.promoted, row.candidate**2, row.live**2, row.candidate * row.live)
