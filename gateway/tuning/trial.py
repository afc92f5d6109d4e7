"""What a worker does of a tuning: fit one setting to all parts but one, for each part, and judge that one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gateway.evaluation.leave_out import pool
from routers.evaluation.curve import measure
from routers.evaluation.replay import sweep
from routers.evaluation.yardstick import Yardstick
from routers.registry import build_router
from routers.types import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from gateway.evaluation.folds import Folds
    from gateway.tuning.parts import Parts
    from routers.estimating import EstimatingRouter
    from routers.evaluation.replay import Sweep

    Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """A setting to cross-validate on one table. All of it can be sent to another process."""

    setting: int
    table: int
    spec: Mapping[str, Any]
    parts: Parts
    quality_weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial: the curve of all requests, each routed by what was learned without its part.

    `cost_usd` and `quality` are the means at each setting of the dial. `aiq` and `squared_error` (of the expected
    rewards) are those of all requests; `aiqs` and `squared_errors` have each part's own. `fit_s` is the time of a fit.
    """

    setting: int
    table: int
    cost_usd: Column
    quality: Column
    aiq: float
    aiqs: tuple[float, ...]
    squared_error: float
    squared_errors: tuple[float, ...]
    fit_s: float


@dataclass(frozen=True, slots=True)
class _Part:
    sweep: Sweep
    aiq: float
    squared_error: float
    fit_s: float


def run(trial: Trial) -> Outcome:
    """Cross-validate a setting."""
    parts = [_judge(trial, folds) for folds in trial.parts.folds()]
    cost, quality = pool([part.sweep for part in parts]).points
    yardstick = Yardstick.of(trial.parts.outcomes, trial.parts.pooled())
    errors = tuple(part.squared_error for part in parts)
    return Outcome(
        setting=trial.setting,
        table=trial.table,
        cost_usd=cost,
        quality=quality,
        aiq=measure(cost, quality, yardstick).aiq,
        aiqs=tuple(part.aiq for part in parts),
        squared_error=float(np.average(errors, weights=[len(rows) for rows in trial.parts.judged])),
        squared_errors=errors,
        fit_s=sum(part.fit_s for part in parts) / len(parts),
    )


def _judge(trial: Trial, folds: Folds, clock: Callable[[], float] = time.perf_counter) -> _Part:
    router = cast("EstimatingRouter", build_router(trial.spec))  # `Setting.spec` describes no other
    started = clock()
    router.learn(folds.train)
    fit_s = clock() - started
    test, contexts = folds.test, folds.test.contexts()
    candidates = [Candidate(model) for model in test.models]
    swept = sweep(router, contexts, test, candidates, trial.quality_weights, seed=0)
    expected = router.estimator.predict(contexts, candidates).mean
    return _Part(
        sweep=swept,
        aiq=measure(*swept.points, Yardstick.of(folds.train, test)).aiq,
        squared_error=float(np.square(expected - test.rewards, dtype=np.float64).mean()),
        fit_s=fit_s,
    )
