"""How long an endpoint takes to begin an answer: a moving average that rises at once and falls slowly (peak EWMA)."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Final

#: Seconds in which what was measured loses all but 1/e of its weight.
MEMORY_S: Final = 10.0


@dataclass(slots=True)
class PeakLatency:
    """The average, in seconds; 0 before anything is known."""

    seconds: float = 0.0
    _at: float = 0.0

    def note(self, seconds: float, now: float) -> None:
        """Take in a measurement; `now` is of a monotonic clock. One that is higher is believed at once."""
        kept = exp(-max(now - self._at, 0) / MEMORY_S)
        self.seconds = max(seconds, self.seconds * kept + seconds * (1 - kept))
        self._at = now

    def at(self, now: float) -> float:
        """Return the average as it has faded since: an endpoint that is not asked is forgiven."""
        return self.seconds * exp(-max(now - self._at, 0) / MEMORY_S)
