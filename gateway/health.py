"""Which models rest because they failed lately.

A model that fails rests half a second, twice as long each time in a row, and at most 30 seconds; one that is
limited rests as long as it asks. Resting models are left out before a router sees the candidates, so that
the logged propensities stay true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Candidate

FIRST_REST_S = 0.5
LONGEST_REST_S = 30.0
LIMITED_REST_S = 1.0
#: An endpoint that asks for more is asked again after this.
LONGEST_RETRY_AFTER_S = 300.0


@dataclass(slots=True)
class _Record:
    failures: int = 0
    rests_until: float = 0.0


class Health:
    """Failures in a row and rests, by model; times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}

    def succeeded(self, model: str) -> None:
        """Note that a model answered."""
        self._records.pop(model, None)

    def failed(self, model: str, now: float) -> None:
        """Note that a model failed, and let it rest."""
        record = self._records.setdefault(model, _Record())
        rest_s = min(LONGEST_REST_S, FIRST_REST_S * 2 ** min(record.failures, 10))
        record.failures += 1
        record.rests_until = max(record.rests_until, now + rest_s)

    def limited(self, model: str, now: float, retry_after_s: float | None) -> None:
        """Note that a model asked to be left alone."""
        rest_s = LIMITED_REST_S if retry_after_s is None else min(retry_after_s, LONGEST_RETRY_AFTER_S)
        record = self._records.setdefault(model, _Record())
        record.rests_until = max(record.rests_until, now + rest_s)

    def rests(self, model: str, now: float) -> bool:
        """Tell whether a model rests."""
        record = self._records.get(model)
        return record is not None and record.rests_until > now

    def awake(self, candidates: Sequence[Candidate], now: float) -> tuple[Candidate, ...]:
        """Return the candidates that do not rest; all of them if all do, for a poor chance beats none."""
        return tuple(c for c in candidates if not self.rests(c.model, now)) or tuple(candidates)
