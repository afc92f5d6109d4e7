"""The outcome table: a row a prompt, and for every model its score, cost, tokens and latency."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.request import estimate_prompt_tokens
from routers.types import Outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from routers.types import FloatArray

    Rows = NDArray[np.intp]

#: What a column's name begins with; the rest of it is the model.
SCORE, COST, LATENCY = "score|", "cost|", "latency|"
PROMPT_TOKENS, COMPLETION_TOKENS = "prompt_tokens|", "completion_tokens|"
#: What a gate said of the model's answer, and the USD that its own calls took.
GATE, GATE_COST = "gate|", "gate_cost|"


class TableError(Exception):
    """An outcome table cannot be used; the message names the file, the column and the remedy."""


@dataclass(frozen=True, slots=True)
class Table:
    """Outcomes of `n` prompts for `m` models; the arrays are `[n, m]`, and NaN means: not known.

    `path` is the file that it was read from. `scores` are in [0, 1]; `prompt_tokens` and `completion_tokens` are as
    each model's provider counted. `latencies_s` is None, and `paraphrases` (the same request in other words, None
    where there is none) empty, where the file has no such column. `folds` are any names. `verdicts` are what a gate
    said of the answers, in [0, 1], and `verdict_costs_usd` what that took; None where no gate was asked.
    """

    path: Path
    prompt_ids: tuple[str, ...]
    tasks: tuple[str, ...]
    prompts: tuple[str, ...]
    models: tuple[str, ...]
    folds: tuple[str, ...]
    scores: FloatArray
    costs_usd: FloatArray
    prompt_tokens: FloatArray
    completion_tokens: FloatArray
    latencies_s: FloatArray | None = None
    paraphrases: tuple[str | None, ...] = ()
    verdicts: FloatArray | None = None
    verdict_costs_usd: FloatArray | None = None

    def rows(self, fold: str) -> Rows:
        """Return the numbers of a fold's rows. Raises `TableError` where there are none."""
        rows = np.flatnonzero(np.array([one == fold for one in self.folds], np.bool_))
        if not len(rows):
            there_are = ", ".join(f"{name!r} ({n} rows)" for name, n in Counter(self.folds).items())
            raise TableError(f"{self.path}: column 'fold': no row is {fold!r}; the folds are {there_are}")
        return rows

    def complete(self, rows: Rows, fold: str) -> Rows:
        """Return those of a fold's rows that have a score and a cost of every model. Raises `TableError` for none."""
        gaps = np.isnan(self.scores[rows]) | np.isnan(self.costs_usd[rows])
        if (complete := ~gaps.any(axis=1)).any():
            return rows[complete]
        worst = self.models[int(gaps.sum(axis=0).argmax())]
        raise TableError(
            f"{self.path}: no row of the fold {fold!r} has a score and a cost of every model "
            f"({worst!r} lacks most); fill the gaps, or leave the model out"
        )

    def outcomes(self, rows: Rows, models: Sequence[str], embeddings: FloatArray) -> Outcomes:
        """Return some rows, of some of the models; `embeddings` `[n, d]` are of all the table's prompts.

        Prompt tokens are estimated as those of a request are. Raises `TableError` for a model that it lacks.
        """
        if missing := [model for model in models if model not in self.models]:
            remedy = "profile that model too, or leave it out of the pool"
            raise TableError(f"{self.path}: no column '{SCORE}{missing[0]}': {remedy}")
        cells = np.ix_(rows, np.array([self.models.index(model) for model in models], np.intp))
        texts = tuple(self.prompts[row] for row in rows)
        return Outcomes(
            models=tuple(models),
            embeddings=embeddings[rows],
            rewards=self.scores[cells],
            costs_usd=self.costs_usd[cells],
            completion_tokens=self.completion_tokens[cells],
            latencies_s=None if self.latencies_s is None else self.latencies_s[cells],
            texts=texts,
            tasks=tuple(self.tasks[row] for row in rows),
            prompt_tokens=tuple(estimate_prompt_tokens({"messages": [{"content": text}]}) for text in texts),
        )

    def deduplicated(self, train_rows: Rows, test_rows: Rows) -> tuple[Rows, int]:
        """Return the test rows whose prompt is none of the training rows', and how many were left out.

        Prompts are the same that differ in upper and lower case or in white space alone.
        """
        known = {_normalised(self.prompts[row]) for row in train_rows}
        kept = [row for row in test_rows if _normalised(self.prompts[row]) not in known]
        return np.array(kept, np.intp), len(test_rows) - len(kept)


def _normalised(text: str) -> str:
    return " ".join(text.casefold().split())
