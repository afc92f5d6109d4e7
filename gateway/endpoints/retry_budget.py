"""How often the same endpoints may be asked again: a share of the requests, so that an outage is not made worse.

Google, Site Reliability Engineering, chapter 22 (retry budgets); Finagle's `RetryBudget`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Repetitions for each request.
SHARE: Final = 0.2
#: Repetitions that are always allowed, and how many of them each second.
RESERVE: Final = 10.0
#: Repetitions that may be saved up.
MOST: Final = 100.0


@dataclass(slots=True)
class RetryBudget:
    """What may be spent on repetitions. Times are seconds of a monotonic clock."""

    _left: float = RESERVE
    _at: float = 0.0

    def requested(self) -> None:
        """Take in that a request came."""
        self._left = min(MOST, self._left + SHARE)

    def spend(self, now: float) -> bool:
        """Take one repetition, if there is one."""
        if self._left < RESERVE:
            self._left = min(RESERVE, self._left + RESERVE * max(now - self._at, 0))
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
