"""A replay as bandits from the tables to the report: the passes of all routers, done by an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.evaluation.online.jobs import Job, informed, played
from gateway.evaluation.online.market import Market
from gateway.evaluation.online.report import Course, table_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.engines.engine import Engine
    from gateway.evaluation.bench import Bench
    from gateway.evaluation.names import Named
    from gateway.evaluation.online.settings import Online
    from gateway.evaluation.settings import Settings

    Entry = dict[str, Any]
    Progress = Callable[[int, int], None]


def replay_online(
    benches: Sequence[Bench],
    routers: Sequence[Named],
    asked: tuple[Settings, Online],
    engine: Engine,
    progress: Progress,
) -> dict[str, list[Entry]]:
    """Let every router go through every table from every seed; return the sections of the report.

    `progress` is told how many passes are done, and of how many. Raises `EvaluationError` where a table does not suit
    the settings, and whatever a job raises.
    """
    settings, online = asked
    markets = [Market.of(bench, online) for bench in benches]
    jobs = [
        Job(number, named.name, named.spec, market, online, seed)
        for number, market in enumerate(markets)
        for named in routers
        for seed in range(settings.seeds)
    ]
    whole, done = [job for job in jobs if job.seed == 0], 0

    def finished(number: int, result: object) -> None:
        nonlocal done
        del number, result
        done += 1
        progress(done, len(jobs) + len(whole))

    passes = engine.map(played, jobs, finished)
    references = engine.map(informed, whole, finished)
    entries = []
    for one in references:
        own = [each for each in passes if (each.table, each.router) == (one.table, one.router)]
        entries.append(Course(own, one, markets[one.table], online).entry(benches[one.table].name))
    tables = [table_entry(bench, market, settings) for bench, market in zip(benches, markets, strict=True)]
    return {"tables": tables, "routers": entries}
