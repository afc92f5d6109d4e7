"""Ask every model every probe, grade the answers, and keep them in a journal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.profiling.graders import Program, grade
from gateway.profiling.journal import Asked, Journal, Result
from gateway.profiling.probes import probes_digest
from gateway.profiling.sandbox import missing_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gateway.profiling.probes import Probe


class Ask(Protocol):
    """Puts a probe to a model. Whatever goes wrong with the model is told in the answer, after any retries."""

    async def __call__(self, model: str, probe: Probe) -> Asked:
        """Return the model's answer or its error."""
        ...


async def profile(
    probes: Sequence[Probe],
    models: Mapping[str, str],
    ask: Ask,
    journal: Path,
    on_result: Callable[[Result], None],
    concurrency: int = 1,
) -> list[Result]:
    """Return a result for every model and probe, model by model, asking only what the journal lacks.

    `models` maps each name to a description of what answers under it (endpoint, weights, template), so that a
    journal is not continued with something else. `on_result` hears of every result, those of the journal first.
    An error is a result without a score, and is asked again by the next run. At most `concurrency` probes are
    under way at once.

    Raises `JournalError`, and `SandboxError` where there is code to run and no sandbox to run it in.
    """
    if any(isinstance(probe.grader, Program) for probe in probes):
        await asyncio.to_thread(missing_layers)
    cells = [(model, probe) for model in models for probe in probes]
    with Journal(journal, probes_digest(probes), models) as log:
        run = _Run(ask, log, on_result, dict(log.done))
        for model, probe in cells:
            if (model, probe.prompt_id) in log.done:
                on_result(log.done[model, probe.prompt_id])
        waiting = iter([cell for cell in cells if (cell[0], cell[1].prompt_id) not in log.done])
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(run.work(waiting))
    return [run.results[model, probe.prompt_id] for model, probe in cells]


@dataclass(frozen=True, slots=True)
class _Run:
    """A run under way, shared by its workers."""

    ask: Ask
    log: Journal
    on_result: Callable[[Result], None]
    results: dict[tuple[str, str], Result]

    async def work(self, waiting: Iterator[tuple[str, Probe]]) -> None:
        """Take probes from the queue until it is empty."""
        for model, probe in waiting:
            asked = await self.ask(model, probe)
            score = None
            if asked.error is None:
                # Grading may run code for seconds.
                score = await asyncio.to_thread(grade, probe, asked.text or "")
            result = Result(model, probe.prompt_id, score, asked)
            self.log.append(result)
            self.results[model, probe.prompt_id] = result
            self.on_result(result)
