"""Fits a router to an outcome table, and says how good it is on rows that it has not seen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.config.policies import build_new_router
from gateway.profiling.table import TableError
from gateway.signals.request import estimate_prompt_tokens
from routers.evaluation import evaluate
from routers.types import Outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

    from numpy.typing import NDArray

    from gateway.config.files import PolicyFile
    from gateway.profiling.probes import Fold
    from gateway.profiling.table import Table
    from routers.evaluation import Report
    from routers.types import Candidate, FloatArray


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """An outcome table read from `path`, and its prompts' embeddings `[n, d]`; `encoder` is the encoder's digest."""

    path: Path
    table: Table
    embeddings: FloatArray
    encoder: str

    def fold(self, fold: Fold, models: tuple[str, ...]) -> Outcomes:
        """Return the outcomes of one fold, of some of the models. Raises `TableError` where there are none."""
        rows = self.rows(fold)
        if not len(rows):
            raise TableError(f"{self.path}: column 'fold': no row is {fold!r}; both folds are needed")
        if missing := [model for model in models if model not in self.table.models]:
            remedy = "profile that model too, or leave it out of the pool"
            raise TableError(f"{self.path}: no column 'score|{missing[0]}': {remedy}")
        cells = np.ix_(rows, np.array([self.table.models.index(model) for model in models]))
        return Outcomes(
            models=models,
            embeddings=self.embeddings[rows],
            rewards=self.table.scores[cells],
            costs_usd=self.table.costs_usd[cells],
            completion_tokens=self.table.completion_tokens[cells],
        )

    def rows(self, fold: Fold) -> NDArray[np.intp]:
        """Return the numbers of a fold's rows."""
        return np.flatnonzero(np.array([one == fold for one in self.table.folds]))

    def prompt_tokens(self, fold: Fold) -> list[int]:
        """Return how long a fold's prompts are, by the estimate that requests are measured with."""
        prompts = (self.table.prompts[row] for row in self.rows(fold))
        return [estimate_prompt_tokens({"messages": [{"content": prompt}]}) for prompt in prompts]


def fit(policy: PolicyFile, data: TrainingSet, pool: Sequence[Candidate], rng: Random) -> Report:
    """Fit a policy's router to the training fold, save its state, and return how it does on the dev fold.

    Rows of the dev fold that lack a model's reward are left out of the report. Raises `TableError`.
    """
    models = tuple(candidate.model for candidate in pool)
    router = build_new_router(policy)
    router.learn(data.fold("train", models))
    dev, tokens = _complete(data.fold("dev", models), data.prompt_tokens("dev"))
    if not tokens:
        raise TableError(f"{data.path}: no row of the fold 'dev' has a score for every model of the pool")
    report = evaluate(router, dev, tokens, pool, rng)
    digest = hashlib.sha256(data.path.read_bytes()).hexdigest()
    router.save(policy.state, encoder=data.encoder, metadata={"table_sha256": digest})
    return report


def _complete(outcomes: Outcomes, tokens: list[int]) -> tuple[Outcomes, list[int]]:
    """Return only the rows in which every model's reward is known."""
    rows = np.flatnonzero(~np.isnan(outcomes.rewards).any(axis=1))
    complete = Outcomes(
        models=outcomes.models,
        embeddings=outcomes.embeddings[rows],
        rewards=outcomes.rewards[rows],
        costs_usd=outcomes.costs_usd[rows],
        completion_tokens=outcomes.completion_tokens[rows],
    )
    return complete, [tokens[row] for row in rows]
