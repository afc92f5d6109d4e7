"""Cross-validates every setting on every table, and chooses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gateway.config.loader import did_you_mean
from gateway.evaluation.folds import digest_of, folds_of, select
from gateway.evaluation.problem import EvaluationError
from gateway.evaluation.settings import Settings
from gateway.tables.read import read_table
from gateway.tuning.choice import Tried, choose, put_dial
from gateway.tuning.parts import split
from gateway.tuning.trial import Trial, run
from routers.evaluation.curve import measure
from routers.evaluation.replay import sweep
from routers.evaluation.yardstick import Yardstick
from routers.registry import DEFAULT_FLOOR
from routers.types import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gateway.engines.engine import Engine
    from gateway.evaluation.bench import Embed
    from gateway.tables.table import Table
    from gateway.tuning.choice import Choice, Dial
    from gateway.tuning.parts import Parts
    from gateway.tuning.plan import Plan
    from gateway.tuning.setting import Setting

    Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A table, its file's digest, and the parts of its training fold."""

    table: Table
    sha256: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class Seen:
    """How the chosen router does on a fold that nothing was chosen by, its dial where it was put."""

    fold: str
    n: int
    aiq: float
    quality: float
    cost_usd: float
    single_quality: float
    single_cost_usd: float


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was tried on which tables, what was chosen, where the dial is put, and what another fold says."""

    sources: tuple[Source, ...]
    tried: tuple[Tried, ...]
    choice: Choice
    dial: Dial
    seen: tuple[Seen, ...] = ()


def open_sources(paths: Sequence[Path], plan: Plan, embed: Embed) -> list[Source]:
    """Read every table, and split its training fold; nothing of another fold is embedded.

    All tables are read before the first is embedded. Raises `EvaluationError` and `TableError`.
    """
    tables = [read_table(path) for path in paths]
    for table in tables:
        for option, fold in (("--train-fold", plan.train_fold), ("--report-on", plan.report_on)):
            if fold is not None and fold not in table.folds:
                hint = did_you_mean(fold, set(table.folds))
                raise EvaluationError(f"{option}: no row of {table.path} is of the fold {fold!r}; {hint}")
    return [
        Source(table, digest_of(table), split(table, plan.train_fold, plan.folds, embed, plan.seed)) for table in tables
    ]


def tune(sources: Sequence[Source], plan: Plan, engine: Engine, progress: Progress) -> Tuning:
    """Cross-validate all settings and choose one; `progress` is told how many trials are done, and of how many."""
    trials = [
        Trial(number, place, setting.spec, source.parts, plan.quality_weights)
        for number, setting in enumerate(plan.settings)
        for place, source in enumerate(sources)
    ]
    done = 0

    def finished(number: int, outcome: object) -> None:
        nonlocal done
        del number, outcome
        done += 1
        progress(done, len(trials))

    outcomes = engine.map(run, trials, finished)
    tried = tuple(
        Tried(setting, tuple(one for one in outcomes if one.setting == number))
        for number, setting in enumerate(plan.settings)
    )
    choice = choose(tried, plan.metric)
    dial = put_dial(choice.chosen, [source.parts for source in sources], plan.quality_weights, DEFAULT_FLOOR)
    return Tuning(tuple(sources), tried, choice, dial)


def look(tuning: Tuning, plan: Plan, embed: Embed) -> Tuning:
    """Add how the chosen router does on the fold `report_on`; it is learned from the whole training fold.

    Raises `TableError` where no row of that fold is complete.
    """
    if plan.report_on is None:
        return tuning
    setting, dial = tuning.choice.chosen.setting, tuning.dial
    seen = [_seen(setting, source.table, plan, dial.quality_weight, embed) for source in tuning.sources]
    return replace(tuning, seen=tuple(seen))


def _seen(setting: Setting, table: Table, plan: Plan, quality_weight: float, embed: Embed) -> Seen:
    fold = str(plan.report_on)
    rows = select(table, Settings(train_fold=plan.train_fold, test_fold=fold))
    used = np.concatenate([rows.train, rows.test])
    found = embed([table.prompts[row] for row in used])
    embeddings = np.zeros((len(table.prompts), found.shape[1]), np.float32)
    embeddings[used] = found
    folds = folds_of(table, rows, embeddings)
    router = setting.build()
    router.learn(folds.train)
    test, candidates = folds.test, [Candidate(model) for model in folds.test.models]
    swept = sweep(router, test.contexts(), test, candidates, plan.quality_weights, plan.seed)
    cost, quality = swept.points
    yardstick, place = Yardstick.of(folds.train, test), plan.quality_weights.index(quality_weight)
    return Seen(
        fold=fold,
        n=test.n,
        aiq=measure(cost, quality, yardstick).aiq,
        quality=float(quality[place]),
        cost_usd=float(cost[place]),
        single_quality=yardstick.baseline.quality,
        single_cost_usd=yardstick.baseline.cost_usd,
    )
