"""What was observed of each model, span by span, and what of it still speaks of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.cells import Cells
from routers.online.drift import last_change

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.cells import Column

    Array = NDArray[np.float64]

#: Of a model that has changed, what was observed before counts for no more rows than this: it says where to begin.
OF_THE_CHANGED: Final = 2.0
#: Where a table stands: before all spans.
_TABLE: Final = -np.inf


@dataclass(frozen=True, slots=True)
class History:
    """Of each model, when each stretch of what was observed began, in order, and its sums (the first: how many rows).

    A table is the first stretch, where there is one; it began before all time.
    """

    stretches: Mapping[str, Sequence[tuple[float, Column]]]

    @classmethod
    def of(cls, table: Cells, online: Mapping[str, Sequence[tuple[float, Column]]]) -> History:
        """Return what a table and spans hold."""
        found = {model: list(stretches) for model, stretches in online.items()}
        for (model, _), numbers in table.known.items():
            found[model] = [(_TABLE, numbers), *found.get(model, [])]
        return cls(found)

    @property
    def online(self) -> Cells:
        """Return the sums of what was observed online."""
        return _cells({model: [one for one in stretches if one[0] > _TABLE] for model, stretches in self._items})

    def changes(self, coefficients: Mapping[str, Array], noise: float) -> dict[str, float]:
        """Return when the stretch began since which a model is what it is, of each that has changed.

        `coefficients` `[width]` are those of a linear model of the rewards, `noise` the variance of one reward about
        it. The sums are the count, that of r^2, those of r z, and those of z z' row by row, of which the first is z.
        """
        found = {}
        for model, stretches in self._items:
            expected, width = coefficients[model], len(coefficients[model])
            numbers = np.array([one for _, one in stretches])
            excesses = numbers[:, 2] - numbers[:, 2 + width : 2 + 2 * width] @ expected
            place = last_change(numbers[:, 0], excesses, noise)
            if place is not None:
                found[model] = stretches[place][0]
        return found

    def outdated(self, changes: Mapping[str, float]) -> Cells:
        """Return what no longer counts of the sums: all of models before they changed, but for a trace."""
        found = {}
        for model, since in changes.items():
            before = np.sum([numbers for start, numbers in self.stretches[model] if start < since], axis=0)
            found[model, ""] = before * max(0.0, 1 - OF_THE_CHANGED / max(before[0], OF_THE_CHANGED))
        return Cells(found)

    @property
    def _items(self) -> list[tuple[str, Sequence[tuple[float, Column]]]]:
        return list(self.stretches.items())


def _cells(stretches: Mapping[str, Sequence[tuple[float, Column]]]) -> Cells:
    sums = {(model, ""): [numbers for _, numbers in several] for model, several in stretches.items() if several}
    return Cells({key: np.sum(numbers, axis=0) for key, numbers in sums.items()})
