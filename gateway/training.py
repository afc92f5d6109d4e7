"""Fits a router to an outcome table, and says how good it is on rows that it has not seen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.calibrating import Shown, calibrate
from gateway.config.routers import build_new_router
from gateway.tables.table import TableError
from routers.evaluation import evaluate
from routers.plans.checking import Checking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from gateway.calibrating import Calibrating
    from gateway.config.files import WrittenRouter
    from gateway.tables.table import Table
    from routers.evaluation import Report
    from routers.types import Candidate, FloatArray, Outcomes, Router


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """An outcome table and its prompts' embeddings `[n, d]`; `encoder` is the digest of what made them."""

    table: Table
    embeddings: FloatArray
    encoder: str

    def fold(self, fold: str, models: Sequence[str]) -> Outcomes:
        """Return the outcomes of one fold, of some of the models. Raises `TableError` where there are none."""
        return self.table.outcomes(self.table.rows(fold), models, self.embeddings)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a router does on the dev fold, and how good its gate's chances are; None where it has no gate to be fitted.

    Of a plan with a gate the report is of its first call: a table does not say what a gate would say of its answers.
    """

    report: Report
    gate: Calibrating | None = None


def fit(written: WrittenRouter, data: TrainingSet, pool: Sequence[Candidate], rng: Random) -> Fit:
    """Fit a router to the training fold, and its gate if the table has verdicts; save its state, and judge it.

    Rows of the dev fold that lack a model's reward are left out of the report. Raises `TableError`.
    """
    models = tuple(candidate.model for candidate in pool)
    router = build_new_router(written)
    router.learn(train := data.fold("train", models))
    dev = data.fold("dev", models)
    dev = dev.take(np.flatnonzero(~np.isnan(dev.rewards).any(axis=1)))
    if not dev.n:
        raise TableError(f"{data.table.path}: no row of the fold 'dev' has a score for every model of the pool")
    gate = _calibrated(written, router, data, train)
    first = router.router if isinstance(router, Checking) else router
    report = evaluate(first, dev, dev.prompt_tokens, pool, rng)
    digest = hashlib.sha256(data.table.path.read_bytes()).hexdigest()
    router.save(written.state, encoder=data.encoder, metadata={"table_sha256": digest})
    return Fit(report, gate)


def _calibrated(written: WrittenRouter, router: Router, data: TrainingSet, train: Outcomes) -> Calibrating | None:
    """Fit the gate of a plan that has one. Raises `TableError`."""
    if not isinstance(router, Checking):
        return None
    shown = Shown.of(data.table, data.table.rows("train"), train)
    return None if shown is None else calibrate(router.gate, written.spec["router"], shown)
