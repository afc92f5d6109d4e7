"""Puts probes to one model, a few at a time, each few chosen in the light of the answers so far."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.profiling.graders import Program, grade
from gateway.profiling.journal import Result
from gateway.profiling.sandbox import missing_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.profiling.choice import Choose
    from gateway.profiling.journal import Journal
    from gateway.profiling.probes import Probe
    from gateway.profiling.run import Ask


class InterviewError(Exception):
    """A model does not answer; the message names it, what it said, and the remedy."""


@dataclass(frozen=True, slots=True)
class Interview:
    """One model, the probes that it may be asked, and the journal that its answers go to."""

    model: str
    probes: Sequence[Probe]
    ask: Ask
    journal: Journal
    on_result: Callable[[Result], None]

    async def hold(self, choose: Choose, number: int, at_once: int) -> dict[int, Result]:
        """Return the results by the probe's number, in the order asked, of at most `number` probes.

        What the journal has is not asked again. Raises `InterviewError` where the model fails on all of the first
        few, and `SandboxError` where there is code to run and no sandbox to run it in.
        """
        if any(isinstance(probe.grader, Program) for probe in self.probes):
            await asyncio.to_thread(missing_layers)
        results: dict[int, Result] = {}
        while len(results) < number:
            chosen = choose(scores_of(results), min(at_once, number - len(results)))
            if not chosen:
                break
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._answer(self.probes[n])) for n in chosen]
            results |= {n: task.result() for n, task in zip(chosen, tasks, strict=True)}
            self._require_some(results)
        return results

    async def _answer(self, probe: Probe) -> Result:
        result = self.journal.done.get((self.model, probe.prompt_id))
        if result is None:
            asked = await self.ask(self.model, probe)
            # Grading may run code for seconds.
            score = await asyncio.to_thread(grade, probe, asked.text or "") if asked.error is None else None
            result = Result(self.model, probe.prompt_id, score, asked)
            self.journal.append(result)
        self.on_result(result)
        return result

    def _require_some(self, results: Mapping[int, Result]) -> None:
        if all(result.score is None for result in results.values()):
            *_, last = results.values()
            raise InterviewError(
                f"model {self.model!r} answered none of the first {len(results)} probes: {last.asked.error}; "
                "see to its provider, then run the command again"
            )


def scores_of(results: Mapping[int, Result]) -> dict[int, float]:
    """Return the scores by the probe's number; NaN where no answer came."""
    return {n: math.nan if result.score is None else result.score for n, result in results.items()}
