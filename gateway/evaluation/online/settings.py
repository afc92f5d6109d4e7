"""What is asked of a replay as a bandit, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, get_args

from gateway.evaluation.problem import EvaluationError
from routers.evaluation.bandit import BEST_COST, Telling
from routers.evaluation.change import Change, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMS: Final = "price:MODELxFACTOR@SHARE, swap:MODEL,MODEL@SHARE, add:MODEL@SHARE or remove:MODEL@SHARE"


@dataclass(frozen=True, slots=True)
class Online:
    """How routers are replayed as bandits.

    `price` is what the mean cost of the model that scores best is worth, in rewards. `warm` is the share of the stream
    that is told in full beforehand. `known_prices`: routers are told what models cost, and have to learn only how long
    their answers are. `interval_s` is the time from one request to the next. Raises `EvaluationError` for what cannot
    be.
    """

    price: float = BEST_COST
    warm: float = 0.0
    telling: Telling = field(default_factory=Telling)
    changes: tuple[Change, ...] = ()
    known_prices: bool = False
    interval_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not (0 <= self.price < math.inf):
            raise EvaluationError(f"--price: {self.price} must be a number from 0 on")
        if not 0 <= self.warm < 1:
            raise EvaluationError(f"--warm: {self.warm} must be a share below 1")
        if not (0 < self.interval_s < math.inf):
            raise EvaluationError(f"--interval: {self.interval_s} must be a positive number of seconds")


def telling_of(batch: int | None, delay: int, missing: float) -> Telling:
    """Return when routers are told: after every `batch` requests, or, of None, as usual. Raises `EvaluationError`."""
    if batch is not None and batch < 1:
        raise EvaluationError(f"--batch: {batch} must be at least 1")
    if delay < 0:
        raise EvaluationError(f"--delay: {delay} must not be negative")
    if not 0 <= missing < 1:
        raise EvaluationError(f"--missing: {missing} must be a share below 1")
    usual = Telling(delay=delay, missing=missing)
    return usual if batch is None else Telling(batch, 0, delay, missing)


def changes_of(written: Sequence[str] | None) -> tuple[Change, ...]:
    """Return the changes that were written, in order of time. Raises `EvaluationError`."""
    return tuple(sorted((_change(one) for one in written or ()), key=lambda change: change.at))


def _change(written: str) -> Change:
    """Return the change that is written in one of `FORMS`."""
    what, _, at = written.rpartition("@")
    kind, _, rest = what.partition(":")
    models, factor = rest.split(",") if kind == "swap" else [rest], 1.0
    if kind == "price":
        model, _, times = rest.rpartition("x")
        models, factor = [model], _number(times)
    known = [one for one in get_args(Kind) if one == kind]
    share = _number(at)
    right = len(models) == (2 if kind == "swap" else 1) and len(set(models)) == len(models) and all(models)
    if not (known and right and 0 < share < 1 and 0 < factor < math.inf):
        raise EvaluationError(f"--change: {written!r} must be one of {FORMS}, the share of the stream between 0 and 1")
    return Change(known[0], tuple(models), share, factor)


def _number(written: str) -> float:
    """Return a number, NaN where it is none."""
    try:
        return float(written)
    except ValueError:
        return math.nan
