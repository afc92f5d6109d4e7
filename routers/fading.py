"""How the past fades: what is observed is summed by spans of time, of which the older count for less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Seconds after which an observation counts half, unless said otherwise: thirty days.
HALF_LIFE_S: Final = 2_592_000.0
#: Spans in a half-life. Within a span nothing fades: at most 4 % are lost by that.
SPANS: Final = 16


@dataclass(frozen=True, slots=True)
class Fading:
    """An observation counts half after `half_life_s` seconds, a quarter after two of them.

    Sums that fade do not add up, so what is summed is each span of time by itself; it fades when it is read.

    >>> Fading(1600.0).spans(np.array([0.0, 99.0, 100.0])).tolist()
    [0, 0, 1]
    >>> Fading(1600.0).share(0, now=1650.0)
    0.5
    """

    half_life_s: float = HALF_LIFE_S

    def __post_init__(self) -> None:
        """Refuse a half-life that is none."""
        if not 0 < self.half_life_s < np.inf:
            raise ValueError(f"half_life_s={self.half_life_s} must be positive")

    def spans(self, times: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the numbers of the spans that times `[n]` (seconds since 1970) fall in."""
        return np.floor(times / self.width_s).astype(np.int64)

    def share(self, span: int, now: float) -> float:
        """Return how much what was observed in a span counts by now, in (0, 1]. It is as old as its middle."""
        return self.of_age(now - (span + 0.5) * self.width_s)

    def of_age(self, age_s: float) -> float:
        """Return how much what was observed so many seconds ago counts, in (0, 1]; what is to come counts whole."""
        return float(0.5 ** max(age_s / self.half_life_s, 0.0))

    @property
    def width_s(self) -> float:
        """Return how long a span is."""
        return self.half_life_s / SPANS
