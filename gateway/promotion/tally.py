"""The evidence of one run, counted once for each request, however often and in whatever order it is heard of."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from gateway.promotion.rows import rows_of
from routers.sequential.evidence import sums_of
from routers.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from gateway.learning.rewards import RewardRules
    from gateway.store.base import LoggedEvent
    from routers.sequential.evidence import Row

#: Requests whose feedback may still change; what is said of older ones comes too late.
KEPT: Final = 100_000


class Tally:
    """Sums of a run. A request's outcome counts when it is first heard of, its quality as it was last heard of."""

    def __init__(self, run: int, rewards: RewardRules, kept: int = KEPT) -> None:
        self.run = run
        self._rewards = rewards
        self._kept = kept
        self._quality: OrderedDict[UUID, Row | None] = OrderedDict()
        self._closed: UUID | None = None
        self._sums = Sums()
        self._more: list[Row] = []
        self._less: list[Row] = []

    def knows(self, decision_id: UUID) -> bool:
        """Tell whether a request has been counted here, and may still change."""
        return decision_id in self._quality

    def count(self, event: LoggedEvent) -> None:
        """Take in what is known of a request."""
        decision_id = event.decision.id
        rows = rows_of(event, self.run, self._rewards)
        if not rows or (self._closed is not None and decision_id <= self._closed):
            return
        quality = next((row for row in rows if row.measure.endswith("quality")), None)
        if decision_id not in self._quality:
            self._more += [row for row in rows if row is not quality]
            self._quality[decision_id] = None
        self._rate(decision_id, quality)
        if len(self._quality) > self._kept:
            oldest, _ = self._quality.popitem(last=False)
            self._closed = oldest if self._closed is None else max(oldest, self._closed)

    def add(self, rows: Sequence[Row]) -> None:
        """Take in what no log tells of: requests that were refused."""
        self._more += rows

    @property
    def sums(self) -> Sums:
        """Return what was counted by now."""
        if self._more or self._less:
            self._sums = self._sums + sums_of(self._more) - sums_of(self._less)
            self._more, self._less = [], []
        return self._sums

    def _rate(self, decision_id: UUID, quality: Row | None) -> None:
        """Put what is now said of a request in the place of what was."""
        before = self._quality[decision_id]
        if before == quality:
            return
        self._less += [before] if before is not None else []
        self._more += [quality] if quality is not None else []
        self._quality[decision_id] = quality
