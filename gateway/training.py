"""Fits a router to an outcome table, and says how good it is on rows that it has not seen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.config.routers import build_new_router
from gateway.tables.table import TableError
from routers.evaluation import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from gateway.config.files import WrittenRouter
    from gateway.tables.table import Table
    from routers.evaluation import Report
    from routers.types import Candidate, FloatArray, Outcomes


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """An outcome table and its prompts' embeddings `[n, d]`; `encoder` is the digest of what made them."""

    table: Table
    embeddings: FloatArray
    encoder: str

    def fold(self, fold: str, models: Sequence[str]) -> Outcomes:
        """Return the outcomes of one fold, of some of the models. Raises `TableError` where there are none."""
        return self.table.outcomes(self.table.rows(fold), models, self.embeddings)


def fit(written: WrittenRouter, data: TrainingSet, pool: Sequence[Candidate], rng: Random) -> Report:
    """Fit a router to the training fold, save its state, and return how it does on the dev fold.

    Rows of the dev fold that lack a model's reward are left out of the report. Raises `TableError`.
    """
    models = tuple(candidate.model for candidate in pool)
    router = build_new_router(written)
    router.learn(data.fold("train", models))
    dev = data.fold("dev", models)
    dev = dev.take(np.flatnonzero(~np.isnan(dev.rewards).any(axis=1)))
    if not dev.n:
        raise TableError(f"{data.table.path}: no row of the fold 'dev' has a score for every model of the pool")
    report = evaluate(router, dev, dev.prompt_tokens, pool, rng)
    digest = hashlib.sha256(data.table.path.read_bytes()).hexdigest()
    router.save(written.state, encoder=data.encoder, metadata={"table_sha256": digest})
    return report
