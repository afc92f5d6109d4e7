"""The judgement of routers on one test fold, in the form of a report."""

from __future__ import annotations

from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.evaluation.subject import METRICS, Subject
from routers.evaluation.bootstrap import RESAMPLES, Bootstrap, difference, interval
from routers.evaluation.curve import measure, pareto_distance, pareto_front
from routers.evaluation.references import MIXING, references
from routers.evaluation.replay import average
from routers.evaluation.yardstick import Yardstick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gateway.evaluation.folds import Folds
    from gateway.evaluation.jobs import Result
    from routers.evaluation.replay import Sweep

    Column = NDArray[np.float64]
    Entry = dict[str, Any]

#: The references that differences are stated against.
AGAINST = ("best_single", "cheapest", "random", "zero", "task_oracle", "oracle")
#: What a reference lacks for not having run.
UNMEASURED = {"robustness": None, "latency_us": None, "fit_s": None, "deterministic": True}


class Study:
    """Judges routers by the same requests and the same resamples of them.

    Parameters: `table`, its name in the report; `folds`, the outcomes; `quality_weights`, the dial of the references;
    `resamples`, how many draws the bootstrap makes.
    """

    def __init__(self, table: str, folds: Folds, quality_weights: Sequence[float], resamples: int = RESAMPLES) -> None:
        self._table, self._models = table, folds.test.models
        self._yardstick = Yardstick.of(folds.train, folds.test)
        self._bootstrap = Bootstrap(folds.test, resamples)
        curves = references(folds.train, folds.test, quality_weights)
        self._references = {name: self._subject(name, [curve], mixing=name in MIXING) for name, curve in curves.items()}

    def entries(self, results: Mapping[str, Sequence[Result]]) -> tuple[list[Entry], list[Entry]]:
        """Return the entries of the routers, given the results of each by its name, and those of the references."""
        subjects = {
            name: self._subject(name, [sweep for result in found for sweep in result.sweeps])
            for name, found in results.items()
        }
        # A reference that is told the outcomes or the task is no part of the front that routers are measured by.
        reachable = [one.points for one in [*subjects.values(), self._references["zero"]]]
        front = pareto_front(
            np.concatenate([cost for cost, _ in reachable]), np.concatenate([quality for _, quality in reachable])
        )
        routers = [self._entry(one, front) | _measured(one, results[name]) for name, one in subjects.items()]
        known = [self._entry(one, front) | UNMEASURED | _of_seeds(one, [0]) for one in self._references.values()]
        return routers, known

    def _subject(self, name: str, sweeps: Sequence[Sweep], *, mixing: bool = False) -> Subject:
        mean = average(sweeps)
        return Subject(
            name=name,
            sweep=mean,
            measures=measure(*mean.points, self._yardstick, mixing=mixing),
            seeds=tuple(measure(*sweep.points, self._yardstick, mixing=mixing) for sweep in sweeps),
            aiq=self._bootstrap.aiq(mean),
            max_accuracy=self._bootstrap.accuracy(mean),
        )

    def _entry(self, subject: Subject, front: tuple[Column, Column]) -> Entry:
        distance = pareto_distance(*subject.points, front, self._yardstick.dearest_usd)
        return {
            "table": self._table,
            "router": subject.name,
            **subject.numbers(),
            "pareto_distance": distance,
            "points": subject.settings(self._models),
            "hull": np.column_stack(subject.measures.corners).tolist(),
            "intervals": {metric: interval(subject.resampled(metric)) for metric in METRICS},
            "differences": [self._difference(subject, other, metric) for metric in METRICS for other in AGAINST],
        }

    def _difference(self, subject: Subject, reference: str, metric: str) -> Entry:
        other = self._references[reference]
        value = subject.value(metric) - other.value(metric)
        found = difference(value, subject.resampled(metric), other.resampled(metric))
        return {
            "reference": reference,
            "metric": metric,
            "difference": found.value,
            "interval": found.interval,
            "verdict": found.verdict,
        }


def _measured(subject: Subject, results: Sequence[Result]) -> Entry:
    """Return what is known of a router from its having run."""
    first = results[0]
    return {
        "robustness": first.robustness,
        "latency_us": dict(zip(("p50", "p99"), first.latency_us, strict=True)),
        "fit_s": fmean(result.fit_s for result in results),
        "deterministic": len(results) == 1 and not first.sweeps[0].drawn,
        **_of_seeds(subject, [seed for result in results for seed in result.seeds]),
    }


def _of_seeds(subject: Subject, seeds: Sequence[int]) -> Entry:
    """Return each seed's metrics, and by how much they differ (standard deviation)."""
    rows = [
        {"seed": seed, "aiq": one.aiq, "max_accuracy": one.max_accuracy}
        for seed, one in zip(seeds, subject.seeds, strict=True)
    ]
    return {"seeds": rows, "spread": {metric: pstdev(row[metric] for row in rows) for metric in METRICS}}
