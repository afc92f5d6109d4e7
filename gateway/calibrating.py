"""Fits a plan's gate to what it said of a table's answers, and tells how far its chances are from what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from gateway.tables.table import TableError
from routers.calibration.calibration import Graded, unseen_chances
from routers.calibration.ece import BINS, calibration_error
from routers.cascades.staging import Staged
from routers.gates.calibrated import Calibrated
from routers.gates.combined import Combined
from routers.gates.expected import Expected
from routers.gates.fitted import fitted_parts
from routers.registry import build_router

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gateway.tables.table import Rows, Table
    from routers.calibration.ece import CalibrationError
    from routers.gates.fitted import Fitted
    from routers.types import Gate, Outcomes

    Array = NDArray[np.float64]

#: The least answers of a bin, where a group has few.
LEAST_IN_BIN: Final = 20


@dataclass(frozen=True, slots=True)
class Calibrating:
    """How far a gate's chances were from the rewards of answers that it was not fitted to.

    `errors` is by model and domain; an empty domain stands for all, and an empty model too.
    """

    gate: str
    errors: Mapping[tuple[str, str], CalibrationError]


@dataclass(frozen=True, slots=True)
class Shown:
    """Answers of a fold that a gate has looked at: the outcomes, and its verdicts `[n, m]`, NaN for none."""

    table: Table
    outcomes: Outcomes
    verdicts: Array

    @classmethod
    def of(cls, table: Table, rows: Rows, outcomes: Outcomes) -> Shown | None:
        """Return the rows of a table as outcomes, with the verdicts on them; None where there are none."""
        if table.verdicts is None:
            return None
        columns = np.array([table.models.index(model) for model in outcomes.models], np.intp)
        return cls(table, outcomes, table.verdicts[np.ix_(rows, columns)].astype(np.float64))

    def complete(self) -> Shown:
        """Return the rows without a gap. Raises `TableError` where there is none."""
        outcomes = self.outcomes
        gaps = np.isnan(outcomes.rewards) | np.isnan(outcomes.costs_usd)
        if not len(rows := np.flatnonzero(~gaps.any(axis=1))):
            raise TableError(f"{self.table.path}: no row has a score and a cost of every model: a gate needs some")
        return Shown(self.table, outcomes.take(rows), self.verdicts[rows])

    def graded(self, scores: Array) -> Graded:
        """Return every answer that has a score `[n, m]` and a reward. A task is taken for the domain."""
        rewards = self.outcomes.rewards.astype(np.float64)
        rows, columns = np.nonzero(~np.isnan(scores) & ~np.isnan(rewards))
        models, tasks = self.outcomes.models, self.outcomes.tasks
        return Graded(
            scores[rows, columns],
            rewards[rows, columns],
            [models[column] for column in columns],
            [tasks[row] if tasks else "" for row in rows],
        )


def calibrate(gate: Gate, router: Mapping[str, object], shown: Shown) -> Calibrating | None:
    """Fit a gate; None where there is nothing to fit. `router` is the specification of the one that it is beside.

    A table has the verdicts of one gate: the one inside `calibrated`, or the one that `combined` weighs together with
    `expected`. Raises `TableError` for any other.
    """
    parts = [part for _, part in fitted_parts(gate)]
    if not parts:
        return None
    if len(parts) > 1:
        raise TableError(f"{shown.table.path}: has the verdicts of one gate, and {len(parts)} are to be fitted")
    (part,) = parts
    graded = _fit_alone(part, shown) if isinstance(part, Calibrated) else _fit_weighed(part, router, shown)
    return Calibrating(type(part).__name__.lower(), _errors(graded))


def _fit_alone(gate: Calibrated, shown: Shown) -> Graded:
    """Fit a gate around another one; return the answers with chances that they were not fitted to."""
    graded = shown.graded(shown.verdicts)
    gate.fit(graded)
    return Graded(unseen_chances(graded), graded.rewards, graded.models, graded.domains)


def _fit_weighed(gate: Fitted, router: Mapping[str, object], shown: Shown) -> Graded:
    """Fit a gate's weight against what was expected. Raises `TableError` for gates that are combined otherwise."""
    if not isinstance(gate, Combined) or [isinstance(one, Expected) for one in gate.gates] != [True, False]:
        remedy = "write `gates: [{type: expected}, GATE]`, GATE being the one that the table was profiled with"
        raise TableError(f"{shown.table.path}: has the verdicts of one gate, and others cannot be weighed; {remedy}")
    whole = shown.complete()
    gated = Staged.of(partial(build_router, router), whole.outcomes).gated(whole.verdicts)
    gate.restore(gated.calibration.state())
    return whole.graded(gated.scene.chances)


def _errors(graded: Graded) -> dict[tuple[str, str], CalibrationError]:
    """Return the calibration error of all, of each model, and of each model and domain."""
    models, domains = np.array(graded.models, np.str_), np.array(graded.domains, np.str_)
    groups = [("", ""), *sorted({(model, "") for model in graded.models})]
    groups += sorted({pair for pair in zip(graded.models, graded.domains, strict=True) if pair[1]})
    return {group: _error(graded, _members(models, domains, group)) for group in groups}


def _members(models: NDArray[np.str_], domains: NDArray[np.str_], group: tuple[str, str]) -> NDArray[np.bool_]:
    model, domain = group
    return np.asarray(((models == model) | (model == "")) & ((domains == domain) | (domain == "")))


def _error(graded: Graded, members: NDArray[np.bool_]) -> CalibrationError:
    """Return the error of some answers, over as many bins as have `LEAST_IN_BIN` of them: fewer would tell of luck."""
    bins = min(max(int(members.sum()) // LEAST_IN_BIN, 1), BINS)
    return calibration_error(graded.scores[members], graded.rewards[members], bins)
