"""An evaluation from the tables to the numbers: the jobs of all routers, done by an engine, and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.config.loader import did_you_mean
from gateway.evaluation.jobs import fit_and_replay, jobs_of, leave_out
from gateway.evaluation.leave_out import summary_entry, task_entry
from gateway.evaluation.problem import EvaluationError
from gateway.evaluation.report import pair_entry, table_entry
from gateway.evaluation.study import Study
from routers.types import Naming

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.engines.engine import Engine
    from gateway.evaluation.bench import Bench
    from gateway.evaluation.folds import Folds
    from gateway.evaluation.jobs import Job, LeftOut, Result
    from gateway.evaluation.names import Named
    from gateway.evaluation.settings import Settings

    Entry = dict[str, Any]
    Sections = dict[str, list[Entry]]
    Progress = Callable[[int, int], None]

T = TypeVar("T", "Result", "LeftOut")

#: The lists of a report, in its order.
SECTIONS = ("tables", "routers", "references", "pairs", "leave_task_out", "leave_task_out_summary")


def evaluate_all(
    tables: Sequence[Bench], routers: Sequence[Named], settings: Settings, engine: Engine, progress: Progress
) -> Sections:
    """Fit, replay and judge every router on every table; return the sections of the report.

    `progress` is told how many jobs are done, and of how many. Raises `EvaluationError` where a table does not suit
    the settings, and whatever a job raises.
    """
    for one in tables:
        _check(one, routers, settings)
    jobs = [job for n, one in enumerate(tables) for job in _jobs(n, one.folds, routers, settings)]
    paired = [job for n, one in enumerate(tables) for job in _pair_jobs(n, one.folds, routers, settings)]
    apart = [replace(job, seeds=job.seeds[:1]) for job in jobs if settings.leave_task_out and 0 in job.seeds]
    total, done = len(jobs) + len(paired) + len(apart), 0

    def finished(number: int, result: object) -> None:
        nonlocal done
        del number, result
        done += 1
        progress(done, total)

    results = engine.map(fit_and_replay, jobs, finished)
    pair_results = engine.map(fit_and_replay, paired, finished)
    left_out = [part for parts in engine.map(leave_out, apart, finished) for part in parts]
    return _sections(tables, settings, results, pair_results, left_out)


def _check(one: Bench, routers: Sequence[Named], settings: Settings) -> None:
    """Raise `EvaluationError` for models or tasks that a table lacks."""
    for named in routers:
        router = named.build()
        if isinstance(router, Naming) and (strangers := router.named - set(one.table.models)):
            hint = did_you_mean(min(strangers), one.table.models)
            raise EvaluationError(f"--router: {named.name!r}: {one.table.path} has no model {min(strangers)!r}; {hint}")
    for model in settings.pair or ():
        if model not in one.table.models:
            hint = did_you_mean(model, one.table.models)
            raise EvaluationError(f"--pair: {one.table.path} has no model {model!r}; {hint}")
    if settings.leave_task_out and len(set(one.folds.train.tasks)) < 2:
        task = one.folds.train.tasks[0]
        raise EvaluationError(f"--leave-task-out: {one.table.path} has no other task than {task!r} to learn from")


def _jobs(number: int, folds: Folds, routers: Sequence[Named], settings: Settings) -> list[Job]:
    weights, seeds = settings.quality_weights, settings.seeds
    return [job for named in routers for job in jobs_of(number, named, folds, weights, seeds)]


def _pair_jobs(number: int, folds: Folds, routers: Sequence[Named], settings: Settings) -> list[Job]:
    if settings.pair is None:
        return []
    between = replace(folds.of_models(settings.pair), paraphrases=())
    return _jobs(number, between, routers, settings)


def _sections(
    tables: Sequence[Bench],
    settings: Settings,
    results: Sequence[Result],
    paired: Sequence[Result],
    left_out: Sequence[LeftOut],
) -> Sections:
    sections: Sections = {name: [] for name in SECTIONS}
    for number, one in enumerate(tables):
        sections["tables"].append(table_entry(one.name, one.table, one.sha256, one.rows, one.folds))
        study = Study(one.name, one.folds, settings.quality_weights, settings.resamples)
        routers, references = study.entries(_by_router(results, number))
        sections["routers"] += routers
        sections["references"] += references
        if settings.pair:
            between = one.folds.of_models(settings.pair)
            sections["pairs"] += [pair_entry(one.name, between, each) for each in _by_router(paired, number).values()]
        for parts in _by_router(left_out, number).values():
            entries = [task_entry(one.name, one.folds, part) for part in parts]
            sections["leave_task_out"] += entries
            sections["leave_task_out_summary"].append(summary_entry(one.name, one.folds, parts, entries))
    return sections


def _by_router(found: Sequence[T], table: int) -> dict[str, list[T]]:
    """Return the results on one table by the router's name, in their order."""
    grouped: dict[str, list[T]] = {}
    for one in found:
        if one.table == table:
            grouped.setdefault(one.router, []).append(one)
    return grouped
