"""How long models took lately."""

from __future__ import annotations

from dataclasses import dataclass

#: Weight of the newest answer in the mean.
WEIGHT = 0.2
#: Seconds after which an old mean says nothing of the present, so that a slow model is tried again.
MEMORY_S = 60.0


@dataclass(slots=True)
class _Mean:
    seconds: float
    at: float


class Latencies:
    """An exponential moving average of the seconds that each model's complete answers took."""

    def __init__(self) -> None:
        self._means: dict[str, _Mean] = {}

    def note(self, model: str, seconds: float, now: float) -> None:
        """Take in an answer; `now` is of a monotonic clock."""
        mean = self._means.get(model)
        fresh = mean is not None and now - mean.at <= MEMORY_S
        average = mean.seconds + WEIGHT * (seconds - mean.seconds) if mean is not None and fresh else seconds
        self._means[model] = _Mean(average, now)

    def lately(self, now: float) -> dict[str, float]:
        """Return the seconds by model, without those that have not answered for a minute."""
        return {model: mean.seconds for model, mean in self._means.items() if now - mean.at <= MEMORY_S}
