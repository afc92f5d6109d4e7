"""What a worker does of an evaluation: fit a router, replay the test fold, say what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.evaluation.names import seeded
from routers.drive import drive
from routers.evaluation.replay import sweep
from routers.registry import build_router
from routers.types import Answer, Candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.evaluation.folds import Folds
    from gateway.evaluation.names import Named
    from routers.evaluation.replay import Sweep
    from routers.types import Context, Outcomes, Router

#: Test requests on which the time of a decision is measured.
TIMED = 200


@dataclass(frozen=True, slots=True)
class Job:
    """One router to fit and to replay. All of it can be sent to another process.

    `seeds` are those of the replays. Where the first one leaves nothing to chance, it is the only one.
    """

    table: int
    router: str
    spec: Mapping[str, Any]
    folds: Folds
    quality_weights: tuple[float, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job: a sweep a seed, the time that fitting took, and the times of a decision.

    `robustness` is the share of decisions that a paraphrase did not change, at the dial where the router has it.
    """

    table: int
    router: str
    seeds: tuple[int, ...]
    sweeps: tuple[Sweep, ...]
    fit_s: float
    latency_us: tuple[float, float]
    robustness: float | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A router that never saw a task, on that task: its sweep, and the folds that it was about."""

    table: int
    router: str
    task: str
    sweep: Sweep


def jobs_of(table: int, named: Named, folds: Folds, quality_weights: Sequence[float], seeds: int) -> list[Job]:
    """Return the jobs of one router: one for each seed where it has any, else one for all the replays."""
    weights, every = tuple(quality_weights), tuple(range(seeds))
    if not has_seed(named.spec):
        return [Job(table, named.name, named.spec, folds, weights, every)]
    return [Job(table, named.name, seeded(named.spec, seed), folds, weights, (seed,)) for seed in every]


def has_seed(spec: Mapping[str, Any]) -> bool:
    """Tell whether some component of a specification draws, and so is to be fitted once for each seed."""
    return seeded(spec, 0) != seeded(spec, 1)


def fit_and_replay(job: Job) -> Result:
    """Fit the router to the training fold, and replay the test fold over its dial."""
    router, fit_s = _fitted(job.spec, job.folds)
    test = job.folds.test
    pool, contexts = [Candidate(model) for model in test.models], test.contexts()
    sweeps = replays(router, contexts, test, job.quality_weights, job.seeds)
    return Result(
        table=job.table,
        router=job.router,
        seeds=job.seeds[: len(sweeps)],
        sweeps=sweeps,
        fit_s=fit_s,
        latency_us=latency_us(router, contexts[:TIMED], pool),
        robustness=robustness(router, contexts, job.folds.paraphrases, pool),
    )


def replays(
    router: Router,
    contexts: Sequence[Context],
    test: Outcomes,
    quality_weights: Sequence[float],
    seeds: Sequence[int],
) -> tuple[Sweep, ...]:
    """Return a router's sweep for each seed; only that for the first where nothing is a matter of luck."""
    pool = [Candidate(model) for model in test.models]
    first = sweep(router, contexts, test, pool, quality_weights, seeds[0])
    if not first.drawn:
        return (first,)
    return (first, *(sweep(router, contexts, test, pool, quality_weights, seed) for seed in seeds[1:]))


def leave_out(job: Job) -> list[LeftOut]:
    """For each task: fit the router to all others, and replay the test rows of that task, from the first seed."""
    found = []
    for task in sorted(set(job.folds.test.tasks)):
        folds = job.folds.without(task)
        router, _ = _fitted(job.spec, folds)
        pool = [Candidate(model) for model in folds.test.models]
        replayed = sweep(router, folds.test.contexts(), folds.test, pool, job.quality_weights, job.seeds[0])
        found.append(LeftOut(job.table, job.router, task, replayed))
    return found


def latency_us(
    router: Router,
    contexts: Sequence[Context],
    pool: Sequence[Candidate],
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, float]:
    """Return the median and the 99th percentile of a decision's time, in microseconds."""
    times = []
    for context in contexts:
        started = clock()
        drive(router.plan(context, pool, _rng()), Answer)
        times.append(clock() - started)
    median, late = np.quantile(times, [0.5, 0.99])
    return 1e6 * float(median), 1e6 * float(late)


def robustness(
    router: Router,
    contexts: Sequence[Context],
    paraphrases: Sequence[tuple[int, Context]],
    pool: Sequence[Candidate],
) -> float | None:
    """Return the share of requests whose paraphrase is decided as they are, by the same luck; None without any."""
    if not paraphrases:
        return None
    same = [_decision(router, contexts[row], pool) == _decision(router, other, pool) for row, other in paraphrases]
    return sum(same) / len(same)


def _decision(router: Router, context: Context, pool: Sequence[Candidate]) -> str | None:
    _, finish = drive(router.plan(context, pool, _rng()), Answer)
    return finish.answer.candidate.model if finish.answer else None


def _fitted(
    spec: Mapping[str, Any], folds: Folds, clock: Callable[[], float] = time.perf_counter
) -> tuple[Router, float]:
    router = build_router(spec)
    started = clock()
    router.learn(folds.train)
    return router, clock() - started


def _rng() -> Random:
    return Random(0)  # noqa: S311 - the same luck each time, and no secret
