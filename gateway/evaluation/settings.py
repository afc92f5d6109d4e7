"""What is asked of an evaluation, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.evaluation.names import ALL
from gateway.evaluation.problem import EvaluationError
from routers.evaluation.bootstrap import RESAMPLES
from routers.evaluation.dial import dial

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be done with every table: routers, folds, seeds, a pair of models, tasks to leave out.

    `routers` are names as `named_routers` takes them; `pair` is the strong and the weak model; `resamples` are the
    bootstrap's. Raises `EvaluationError` for what cannot be.
    """

    routers: tuple[str, ...] = (ALL,)
    train_fold: str = "train"
    test_fold: str = "dev"
    seeds: int = 5
    pair: tuple[str, str] | None = None
    leave_task_out: bool = False
    keep_duplicates: bool = False
    resamples: int = RESAMPLES
    quality_weights: tuple[float, ...] = dial()

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.seeds < 1:
            raise EvaluationError(f"--seeds: {self.seeds} must be at least 1")
        if self.train_fold == self.test_fold:
            raise EvaluationError(f"--test-fold: {self.test_fold!r} is what is learned from; judge on another fold")


def split_names(written: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names that were written one by one, or several with commas; all routers where there are none."""
    return tuple(name.strip() for one in written or () for name in one.split(",") if name.strip()) or (ALL,)


def split_pair(written: str | None) -> tuple[str, str] | None:
    """Return the strong and the weak model of `STRONG,WEAK`. Raises `EvaluationError`."""
    if written is None:
        return None
    names = [name.strip() for name in written.split(",")]
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise EvaluationError(f"--pair: {written!r} must be two different models with a comma between: STRONG,WEAK")
    return names[0], names[1]


def engine_name(engine: str | None, jobs: int | None) -> str:
    """Return the engine that `--engine` or `--jobs` asks for. Raises `EvaluationError` where both do."""
    if jobs is None:
        return engine or "processes"
    if engine is not None:
        raise EvaluationError(f"--jobs: {jobs} is short for an engine, and --engine is given too; leave one out")
    if jobs < 1:
        raise EvaluationError(f"--jobs: {jobs} must be at least 1")
    return "serial" if jobs == 1 else f"processes:{jobs}"
