"""What is judged: the sweep of a router or of a reference, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from routers.evaluation.curve import Measures

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from routers.evaluation.replay import Sweep

    Column = NDArray[np.float64]

#: What differences are stated of.
METRICS = ("aiq", "max_accuracy")
#: The measures that are one number, or none.
NUMBERS = tuple(field.name for field in fields(Measures) if field.name != "corners")


@dataclass(frozen=True, slots=True)
class Subject:
    """A router or a reference: its sweep averaged over the seeds, and what is said of it.

    `seeds` has the measures of each seed's own sweep. `aiq` and `max_accuracy` are the averaged sweep's in each
    resample.
    """

    name: str
    sweep: Sweep
    measures: Measures
    seeds: tuple[Measures, ...]
    aiq: Column
    max_accuracy: Column

    @property
    def points(self) -> tuple[Column, Column]:
        """Return mean cost and quality at each setting."""
        return self.sweep.points

    def value(self, metric: str) -> float:
        """Return one of `METRICS`."""
        return float(getattr(self.measures, metric))

    def resampled(self, metric: str) -> Column:
        """Return one of `METRICS` in each resample."""
        return self.aiq if metric == "aiq" else self.max_accuracy

    def numbers(self) -> dict[str, float | None]:
        """Return every measure that is one number, or none."""
        return {name: getattr(self.measures, name) for name in NUMBERS}

    def settings(self, models: Sequence[str]) -> list[dict[str, Any]]:
        """Return each setting of the dial, with the share of each model that served."""
        cost, quality = self.points
        shares = self.sweep.shares
        return [
            {
                "quality_weight": weight,
                "cost_usd": float(cost[place]),
                "quality": float(quality[place]),
                "shares": {model: float(part) for model, part in zip(models, shares[place], strict=True) if part},
            }
            for place, weight in enumerate(self.sweep.quality_weights)
        ]
