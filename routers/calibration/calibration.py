"""What a gate's scores mean, for each model and domain as far as there are rows for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.calibration.curve import Curve
from routers.calibration.ece import calibration_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.calibration.ece import CalibrationError

    Array = NDArray[np.float64]
    Group = tuple[str, ...]

#: The rows at which a curve of its own counts as much as the one above it.
SHRINKAGE: Final = 50
#: Parts of the rows by which the calibration error is told.
PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class Graded:
    """Answers that a gate gave `scores`, somebody `rewards`; by `models`, of `domains` ("": unknown); all `[r]`."""

    scores: Array
    rewards: Array
    models: Sequence[str]
    domains: Sequence[str]

    def take(self, rows: NDArray[np.intp]) -> Graded:
        """Return some of them."""
        models, domains = [self.models[row] for row in rows], [self.domains[row] for row in rows]
        return Graded(self.scores[rows], self.rewards[rows], models, domains)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A curve for all answers, one for each model, and one for each model and domain.

    Each is drawn towards the one above it, and the one for all towards taking a score for a chance, by as much as
    `SHRINKAGE` rows would weigh; a group without rows goes by the one above.

    >>> Calibration().chances(np.array([0.3]), ["small"], [""]).tolist()
    [0.3]
    """

    curves: Mapping[Group, Curve] = field(default_factory=dict)

    @classmethod
    def fit(cls, graded: Graded) -> Calibration:
        """Fit a curve to each group that has rows enough."""
        groups: dict[Group, list[int]] = {}
        for row, (model, domain) in enumerate(zip(graded.models, graded.domains, strict=True)):
            for group in _groups(model, domain):
                groups.setdefault(group, []).append(row)
        fitted = {group: Curve.fit(graded.scores[rows], graded.rewards[rows]) for group, rows in groups.items()}
        return cls({group: curve for group, curve in sorted(fitted.items()) if curve is not None})

    def chances(self, scores: Array, models: Sequence[str], domains: Sequence[str]) -> Array:
        """Return the chances `[r]` that answers with these scores are good."""
        found = np.clip(scores.astype(np.float64), 0, 1)
        pairs = list(zip(models, domains, strict=True))
        for model, domain in dict.fromkeys(pairs):
            rows = np.array([pair == (model, domain) for pair in pairs])
            chance = found[rows]
            for curve in (self.curves[group] for group in _groups(model, domain) if group in self.curves):
                weight = curve.n / (curve.n + SHRINKAGE)
                chance = weight * curve.at(scores[rows]) + (1 - weight) * chance
            found[rows] = chance
        return found

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the curves, as arrays."""
        curves = list(self.curves.values())
        return {
            "groups": np.array([[*group, "", ""][:2] for group in self.curves], np.str_).reshape(-1, 2),
            "depths": np.array([len(group) for group in self.curves], np.int64),
            "rows": np.array([curve.n for curve in curves], np.int64),
            "knots": np.array([len(curve.scores) for curve in curves], np.int64),
            "scores": np.concatenate([np.zeros(0), *(curve.scores for curve in curves)]),
            "chances": np.concatenate([np.zeros(0), *(curve.chances for curve in curves)]),
        }

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]]) -> Calibration:
        """Return what `state` returned. Raises `KeyError`."""
        ends = np.cumsum(state["knots"].astype(np.int64))[:-1]
        scores = np.split(state["scores"].astype(np.float64), ends)
        chances = np.split(state["chances"].astype(np.float64), ends)
        names = [
            tuple(names[:depth])
            for names, depth in zip(state["groups"].tolist(), state["depths"].tolist(), strict=True)
        ]
        each = zip(names, state["rows"].tolist(), scores, chances, strict=False)
        return cls({group: Curve(n, at, chance) for group, n, at, chance in each})


def unseen_error(graded: Graded) -> CalibrationError:
    """Return the calibration error on each fifth of the answers, of what was fitted to the others."""
    return calibration_error(unseen_chances(graded), graded.rewards)


def unseen_chances(graded: Graded) -> Array:
    """Return the chances `[r]` of each fifth of the answers, by what was fitted to the others."""
    parts = np.random.default_rng(0).permutation(len(graded.scores)) % PARTS
    chances = np.empty(len(graded.scores))
    for part in range(PARTS):
        inside = np.flatnonzero(parts == part)
        told, fitted = graded.take(inside), Calibration.fit(graded.take(np.flatnonzero(parts != part)))
        chances[inside] = fitted.chances(told.scores, told.models, told.domains)
    return chances


def _groups(model: str, domain: str) -> tuple[Group, ...]:
    """Return the groups of an answer, the widest first."""
    return ((), (model,), (model, domain)) if domain else ((), (model,))
