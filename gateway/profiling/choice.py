"""Which probes to ask a model next."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from routers.newcomers import Examining
    from routers.types import Context


class Choose(Protocol):
    """Chooses probes, by number, in the light of the answers so far."""

    def __call__(self, asked: Mapping[int, float], wanted: int) -> Sequence[int]:
        """Return at most `wanted` probes that were not asked, fewer where none is left.

        `asked` has the scores by the probe's number; NaN where no answer came.
        """
        ...


@dataclass(frozen=True, slots=True)
class Planned:
    """Names the probes of a list, in its order."""

    chosen: Sequence[int]

    def __call__(self, asked: Mapping[int, float], wanted: int) -> list[int]:
        """Return the next few."""
        return [number for number in self.chosen if number not in asked][:wanted]


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Names the probes that tell most after those answered, of the tasks asked least so far."""

    estimator: Examining
    contexts: Sequence[Context]
    tasks: Sequence[str]

    def __call__(self, asked: Mapping[int, float], wanted: int) -> list[int]:
        """Return the next few; an answer that is awaited tells nothing yet."""
        chosen: list[int] = []
        while len(chosen) < wanted and len(asked) + len(chosen) < len(self.tasks):
            so_far = {**asked, **dict.fromkeys(chosen, math.nan)}
            chosen.append(self.estimator.informative(self.contexts, {**self._later(so_far), **so_far}))
        return chosen

    def _later(self, asked: Mapping[int, float]) -> dict[int, float]:
        """Return the probes of tasks that it is not the turn of."""
        times = Counter(self.tasks[number] for number in asked)
        left = {task for number, task in enumerate(self.tasks) if number not in asked}
        least = min(times[task] for task in left)
        turn = {task for task in left if times[task] == least}
        return {number: math.nan for number, task in enumerate(self.tasks) if task not in turn}
