"""A small guard first, and a larger one only where the small one may be wrong.

After SafeRoute (Lee et al. 2025, arXiv:2502.12464). Which requests are hard is told by a band of probabilities and
by how unlike the training texts they are: a learned deferral overfits where a guard's inner states are not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.signals.safety.classifier import SafetyReading
    from routers.types import FloatArray


class Guard(Protocol):
    """Scores a text."""

    def score(self, text: str, embedding: FloatArray | None = None) -> SafetyReading:
        """Return what is found in a text."""
        ...


@dataclass(frozen=True, slots=True)
class GuardCascade:
    """Asks `small` without an embedding, and `large` where that is between `low` and `high`, or `ood` above `max_ood`.

    The large guard's word is final. Where it cannot be told whether the case is hard, the large guard is asked.
    Raises `ValueError` unless 0 <= low <= high <= 1.
    """

    small: Guard
    large: Guard
    low: float = 0.1
    high: float = 0.9
    max_ood: float = 0.9

    def __post_init__(self) -> None:
        """Refuse a band that is none."""
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(f"a guard's band must be 0 <= low <= high <= 1, not [{self.low}, {self.high}]")

    def hard(self, reading: SafetyReading) -> bool:
        """Tell whether the larger guard is to be asked."""
        # Negated, so that NaN, which compares false with all, is hard.
        clear = reading.jailbreak < self.low or reading.jailbreak > self.high
        return not (clear and reading.ood <= self.max_ood)

    def score(self, text: str, embedding: FloatArray | None = None) -> SafetyReading:
        """Return the small guard's reading, or the large one's where the case is hard."""
        reading = self.small.score(text)
        if not self.hard(reading):
            return reading
        return replace(self.large.score(text, embedding), deferred=True)
