"""What all workers have counted: those that serve, and those that have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.workers.merging import Family, Merged

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.workers.process import Worker


class Tally:
    """Adds workers up. `deaths` counts those that have ended by themselves."""

    def __init__(self) -> None:
        self.deaths = 0
        self._past = Merged()

    def keep(self, counted: Sequence[Any]) -> None:
        """Keep what a worker had counted that has ended; what it showed is over."""
        self._past.add(counted, gauges=False)

    def families(self, workers: Collection[Worker]) -> list[Family]:
        """Return the metrics of all."""
        total = Merged()
        total.add(self._past.families())
        for worker in workers:
            total.add(worker.counted)
        return [*total.families(), *self._own(sum(worker.ready for worker in workers))]

    def _own(self, ready: int) -> list[Family]:
        """Return what only the parent knows."""
        serving, died = "pointsman_workers", "pointsman_worker_deaths"
        return [
            Family(serving, "Workers that serve.", "gauge", [(serving, {}, ready)]),
            Family(died, "Workers that ended by themselves.", "counter", [(f"{died}_total", {}, self.deaths)]),
        ]
