"""Probes as a router sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.request import estimate_prompt_tokens
from routers.types import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.profiling.journal import Result
    from gateway.profiling.probes import Probe
    from routers.types import Context, FloatArray


@dataclass(frozen=True, slots=True)
class Questions:
    """The probes that may be asked, and their embeddings `[n, d]`."""

    probes: Sequence[Probe]
    embeddings: FloatArray

    @property
    def tasks(self) -> tuple[str, ...]:
        """Return each probe's task."""
        return tuple(probe.task for probe in self.probes)

    def contexts(self) -> list[Context]:
        """Return each probe as a request."""
        return self.outcomes("", {}).contexts()

    def outcomes(self, model: str, results: Mapping[int, Result]) -> Outcomes:
        """Return what came of asking one model: a row for every probe, NaN where it was not asked."""
        cells = [results.get(number) for number in range(len(self.probes))]
        prompts = [probe.prompt for probe in self.probes]
        return Outcomes(
            models=(model,),
            embeddings=self.embeddings,
            rewards=_column(cell.score if cell else None for cell in cells),
            costs_usd=_column(cell.asked.cost_usd if cell else None for cell in cells),
            completion_tokens=_column(cell.asked.completion_tokens if cell else None for cell in cells),
            latencies_s=_column(cell.asked.latency_s if cell and cell.score is not None else None for cell in cells),
            texts=tuple(prompts),
            tasks=self.tasks,
            prompt_tokens=tuple(estimate_prompt_tokens({"messages": [{"content": prompt}]}) for prompt in prompts),
        )


def _column(values: Iterable[float | None]) -> FloatArray:
    return np.array([[math.nan if value is None else value] for value in values], np.float32)
