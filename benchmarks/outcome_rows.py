"""What the benchmarks of plans share: outcome tables with embeddings, and the routers to begin with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from gateway.embeddings import embed_all, open_cache
from gateway.signals.encoder import open_encoder
from gateway.tables.read import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from routers.types import Outcomes

GREEDY = {"type": "greedy", "floor": 0}
ROUTERS = {
    "knn": {
        "type": "estimating",
        "estimator": {"type": "knn", "neighbours": 100},
        "rule": GREEDY,
        "costs": {"type": "regression"},
    },
    "recommended": {"type": "recommended", "rule": GREEDY},
}


def outcomes_of(path: Path, fold: str | None = None) -> Outcomes:
    """Return the prompts of a table, or of one of its folds, of which every score and cost is known, embedded.

    Embeddings are kept in $POINTSMAN_CACHE.
    """
    table = read_table(path)
    rows = np.arange(len(table.prompts)) if fold is None else table.rows(fold)
    embeddings = embed_all(table.prompts, open_encoder("minilm"), open_cache(os.environ))
    outcomes = table.outcomes(rows, table.models, embeddings)
    known = ~np.isnan(outcomes.rewards).any(axis=1) & ~np.isnan(outcomes.costs_usd).any(axis=1)
    return outcomes.take(np.flatnonzero(known))
