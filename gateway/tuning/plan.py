"""What is asked of a tuning, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.evaluation.problem import EvaluationError
from gateway.tuning.choice import Metric
from gateway.tuning.setting import Try, settings_of
from gateway.tuning.space import QUICK
from routers.evaluation.dial import dial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.tuning.setting import Setting


def _weights() -> tuple[float, ...]:
    """Return the dial's settings, as exact as they are written."""
    return tuple(round(weight, 6) for weight in dial())


@dataclass(frozen=True, slots=True)
class Plan:
    """How settings are judged on every table.

    `settings` are tried, from the simplest on; `folds` is the number of parts that `train_fold` is split into, with
    `seed`. What is chosen is judged on the fold `report_on` as well, if there is one. Raises `EvaluationError` for
    what cannot be.
    """

    settings: tuple[Setting, ...]
    folds: int = 5
    train_fold: str = "train"
    metric: Metric = Metric.AIQ
    report_on: str | None = None
    seed: int = 0
    quality_weights: tuple[float, ...] = _weights()

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.folds < 2:
            raise EvaluationError(f"--folds: {self.folds} must be at least 2")
        if self.report_on == self.train_fold:
            raise EvaluationError(f"--report-on: {self.report_on!r} is what is learned from; name another fold")


def planned(routers: Sequence[str], tries: Sequence[str], most: int | None) -> tuple[Setting, ...]:
    """Return the settings of what was written: estimators, values to try, and how many settings at most.

    Raises `EvaluationError`.
    """
    if most is not None and most < 1:
        raise EvaluationError(f"--budget-trials: {most} must be at least 1")
    return tuple(settings_of(routers or QUICK, [Try.parse(text) for text in tries], most))
