"""How many requests an endpoint takes at once: a limit that grows with answers and shrinks with overloads.

As TCP does it (Chiu and Jain, 1989; RFC 5681): after an overload it grows by one for each answer up to a ceiling, and
beyond that by one for each limit's worth of answers. Each overload lowers the ceiling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: What is left of limit and ceiling after an overload.
DECREASE: Final = 0.7
#: Seconds in which further overloads say nothing new: they are of requests that were sent before it shrank.
PAUSE_S: Final = 1.0
#: The limit before anything is known, where none is set.
UNLIMITED: Final = 1000.0
#: The limit does not shrink below this by itself: a single error at a quiet moment says little.
LEAST: Final = 8.0


@dataclass(slots=True)
class ConcurrencyLimit:
    """The limit of one endpoint, at most `most`; one that does not adapt stays there."""

    most: float = UNLIMITED
    adapts: bool = True
    limit: float = UNLIMITED
    ceiling: float = UNLIMITED
    _shrunk_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.bound(self)

    def bound(self, other: ConcurrencyLimit) -> None:
        """Take the bounds of another limit; what has been learned within them is kept."""
        self.most, self.adapts = other.most, other.adapts
        self.limit = min(self.limit, self.most) if self.adapts else self.most

    def has_room(self, in_flight: int) -> bool:
        """Tell whether another request may be sent beside those in flight."""
        return in_flight < int(self.limit)

    def succeeded(self, in_flight: int) -> None:
        """Grow, while the limit is made use of."""
        if self.adapts and 2 * in_flight >= self.limit:
            step = 1.0 if self.limit < self.ceiling else 1 / self.limit
            self.limit = min(self.most, self.limit + step)
            self.ceiling = max(self.ceiling, self.limit)

    def overloaded(self, in_flight: int, now: float) -> None:
        """Shrink, from what was in flight where that is less; `now` is of a monotonic clock."""
        if not self.adapts or now - self._shrunk_at < PAUSE_S:
            return
        least = min(LEAST, self.most)
        self.limit = max(least, min(self.limit, in_flight) * DECREASE)
        self.ceiling = max(self.limit, self.ceiling * DECREASE)
        self._shrunk_at = now
