"""How a model stands after it has joined, and what that cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.profiling.journal import Result
    from routers.types import Estimate

#: Standard errors on either side that hold 95 % of a normal distribution.
ERRORS_95 = 1.96


@dataclass(frozen=True, slots=True)
class Standing:
    """What is expected of a model on one kind of request, and its place among `of` models, 1 being the best."""

    task: str
    reward: Estimate
    place: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """Return where the expected reward lies, with 95 % confidence."""
        half = ERRORS_95 * self.reward.std
        return max(0.0, self.reward.mean - half), min(1.0, self.reward.mean + half)


@dataclass(frozen=True, slots=True)
class Bill:
    """What `answers` cost: USD (None: unknown), tokens as the provider counted them, seconds of waiting for answers."""

    answers: int
    usd: float | None
    prompt_tokens: int
    completion_tokens: int
    seconds: float

    @classmethod
    def of(cls, results: Sequence[Result]) -> Self:
        """Add up the answers."""
        asked = [result.asked for result in results if result.score is not None]
        costs = [one.cost_usd for one in asked if one.cost_usd is not None]
        return cls(
            answers=len(asked),
            usd=sum(costs) if len(costs) == len(asked) else None,
            prompt_tokens=sum(one.prompt_tokens or 0 for one in asked),
            completion_tokens=sum(one.completion_tokens or 0 for one in asked),
            seconds=sum(one.latency_s for one in asked),
        )
