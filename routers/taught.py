"""Estimators that learn from tables, which stay, and from live traffic, which fades and can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from routers.cells import Cells
from routers.fading import HALF_LIFE_S, Fading
from routers.parts import below, prefixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from routers.sums import Sums


class Taught:
    """The sums of an estimator in two parts: what tables taught, and what live traffic did.

    A subclass names its sums (`part`), and calls this constructor last.

    Parameters: `half_life_s`, after which an observation counts half; `table_rows`, for how many observations of each
    model a table counts at most. Raises `ValueError` for ones that make no sense.
    """

    part: ClassVar[str]

    def __init__(self, half_life_s: float = HALF_LIFE_S, table_rows: float = 0.0) -> None:
        if table_rows < 0:
            raise ValueError(f"table_rows={table_rows} must not be negative")
        self._fading = Fading(half_life_s)
        self.half_life_s = half_life_s
        self.table_rows = table_rows
        self._keep(Cells(), Cells())

    def absorb(self, sums: Sums, now: float) -> None:
        """Replace what was learned online by these sums, as they have faded by now."""
        self._keep(self._table, Cells.faded(sums, self.part, self._fading, now))

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the sums: of tables, and online."""
        return prefixed("table", self._table.state()) | prefixed("online", self._online.state())

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self._keep(Cells.restored(below("table", state)), Cells.restored(below("online", state)))

    def _keep(self, table: Cells, online: Cells) -> None:
        self._table, self._online = table, online
        self._learned()

    def _learned(self) -> None:
        """Derive what estimates are made of from `_table` and `_online`, where that is not done for each request."""
