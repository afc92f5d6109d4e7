"""Which setting, and where to put the dial."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import numpy as np

from routers.evaluation.curve import top
from routers.evaluation.yardstick import Yardstick, best_single
from routers.rules.floor import least_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gateway.tuning.parts import Parts
    from gateway.tuning.setting import Setting
    from gateway.tuning.trial import Outcome

    Column = NDArray[np.float64]

#: By how much a mean may miss another for reasons of rounding alone.
_TOLERANCE = 1e-9


class Metric(StrEnum):
    """What a setting is chosen by."""

    AIQ = "aiq"
    SQUARED_ERROR = "squared-error"


@dataclass(frozen=True, slots=True)
class Mean:
    """A value over all requests, its values in the parts, and from these its standard error."""

    value: float
    parts: tuple[float, ...]

    @property
    def error(self) -> float:
        """Return the standard error, parts being as large as each other."""
        return stdev(self.parts) / math.sqrt(len(self.parts))


@dataclass(frozen=True, slots=True)
class Tried:
    """A setting, and what came of it on each table; the values are means over the tables."""

    setting: Setting
    outcomes: tuple[Outcome, ...]

    @property
    def aiq(self) -> Mean:
        """Return the AIQ."""
        return Mean(fmean(one.aiq for one in self.outcomes), _across([one.aiqs for one in self.outcomes]))

    @property
    def squared_error(self) -> Mean:
        """Return the mean squared error of the expected rewards."""
        errors = _across([one.squared_errors for one in self.outcomes])
        return Mean(fmean(one.squared_error for one in self.outcomes), errors)

    def loss(self, metric: Metric) -> Mean:
        """Return what is to be small."""
        if metric is Metric.SQUARED_ERROR:
            return self.squared_error
        return Mean(-self.aiq.value, tuple(-value for value in self.aiq.parts))


@dataclass(frozen=True, slots=True)
class Choice:
    """The best setting outright, all that are as good as it as far as can be told, and the one that is chosen."""

    best: Tried
    within: tuple[Tried, ...]

    @property
    def chosen(self) -> Tried:
        """Return the simplest of those that are as good as the best."""
        return min(self.within, key=lambda one: one.setting.rank)


@dataclass(frozen=True, slots=True)
class Standing:
    """What to expect of the chosen router on one table with its dial there, and of the best single model."""

    quality: float
    cost_usd: float
    single: str
    single_quality: float
    single_cost_usd: float
    floored_quality: float
    floored_cost_usd: float


@dataclass(frozen=True, slots=True)
class Dial:
    """Where the dial is put; `reached` tells whether the router is as good as the best single model there."""

    quality_weight: float
    reached: bool
    standings: tuple[Standing, ...]


def choose(tried: Sequence[Tried], metric: Metric) -> Choice:
    """Choose the simplest setting that is not worse than the best by more than a standard error of the difference.

    The difference is taken part by part: that some parts are harder than others, for all settings alike, is no reason
    to doubt it.
    """
    best = min(tried, key=lambda one: (one.loss(metric).value, one.setting.rank))
    least = best.loss(metric)
    within = [one for one in tried if _worse_by(one.loss(metric), least) <= _TOLERANCE]
    return Choice(best, tuple(within))


def put_dial(chosen: Tried, tables: Sequence[Parts], quality_weights: Sequence[float], floor: float) -> Dial:
    """Put the dial where the curve is as good as the best single model at the least cost.

    The best single model is the one of the highest mean reward in the fold. Costs and qualities are compared with its
    own on each table, and the mean over the tables counts. Where the curve never is as good, the dial is put where
    it is best. `floor` is the least chance of each model when the router serves; nothing is chosen by that.
    """
    yardsticks = [Yardstick.of(parts.outcomes, parts.pooled()) for parts in tables]
    pairs = list(zip(chosen.outcomes, yardsticks, strict=True))
    gains = np.mean([one.quality - by.baseline.quality for one, by in pairs], axis=0)
    costs = np.mean([one.cost_usd / (by.baseline.cost_usd or 1.0) for one, by in pairs], axis=0)
    enough = np.flatnonzero(gains >= -_TOLERANCE)
    place = int(enough[costs[enough].argmin()]) if len(enough) else top(costs, gains)
    standings = [_standing(one, parts, place, floor) for one, parts in zip(chosen.outcomes, tables, strict=True)]
    return Dial(quality_weights[place], bool(len(enough)), tuple(standings))


def _standing(one: Outcome, parts: Parts, place: int, floor: float) -> Standing:
    pooled = parts.pooled()
    qualities, costs = pooled.rewards.mean(axis=0, dtype=np.float64), pooled.costs_usd.mean(axis=0, dtype=np.float64)
    single = best_single(parts.outcomes)
    return Standing(
        quality=float(one.quality[place]),
        cost_usd=float(one.cost_usd[place]),
        single=pooled.models[single],
        single_quality=float(qualities[single]),
        single_cost_usd=float(costs[single]),
        floored_quality=_floored(float(one.quality[place]), qualities, floor),
        floored_cost_usd=_floored(float(one.cost_usd[place]), costs, floor),
    )


def _floored(value: float, of_models: Column, floor: float) -> float:
    """Return what a mean comes to where every model is asked with a chance of `floor` at least."""
    least = least_share(floor, None, len(of_models))
    return (1 - least * len(of_models)) * value + least * float(of_models.sum())


def _worse_by(one: Mean, best: Mean) -> float:
    """Return by how much a loss is greater than the least, beyond a standard error of the difference."""
    differences = tuple(mine - least for mine, least in zip(one.parts, best.parts, strict=True))
    difference = Mean(one.value - best.value, differences)
    return difference.value - difference.error


def _across(tables: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Return the mean over the tables in each part."""
    return tuple(fmean(values) for values in zip(*tables, strict=True))
