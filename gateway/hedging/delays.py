"""How long models took lately until their answers began: not the mean, but how it is spread."""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import Final

#: Answers of a model that are remembered at most, and for how many seconds.
MOST: Final = 256
MEMORY_S: Final = 900.0
#: Of fewer, the slow ones say nothing.
LEAST: Final = 20


class Delays:
    """The seconds until answers began, by model, streams apart from answers that come whole.

    An answer that was not waited for is noted with the seconds that it was waited for: it would have taken longer, so
    that no percentile below is moved by it, and those above are not taken for less than they are.
    """

    def __init__(self) -> None:
        self._noted: dict[tuple[str, bool], deque[tuple[float, float]]] = {}

    def note(self, model: str, seconds: float, now: float, *, streams: bool) -> None:
        """Take in an answer; `now` is of a monotonic clock."""
        noted = self._noted.get((model, streams))
        if noted is None:  # `setdefault` would make a deque, which has some 600 bytes, for every answer
            noted = self._noted[model, streams] = deque(maxlen=MOST)
        noted.append((now, seconds))

    def within(self, model: str, percentile: float, now: float, *, streams: bool) -> float | None:
        """Return the seconds within which that percentage of a model's answers began; None while too few are known.

        The percentile is one that occurred (nearest rank).
        """
        noted = self._noted.get((model, streams), ())
        recent = sorted(seconds for at, seconds in noted if now - at <= MEMORY_S)
        if len(recent) < LEAST:
            return None
        return recent[max(ceil(percentile / 100 * len(recent)), 1) - 1]
