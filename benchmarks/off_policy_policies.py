"""Tables of which all is known, as worlds to draw logs from, and the policies that are judged."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.embeddings import embed_all, open_cache
from gateway.signals.encoder import open_encoder
from gateway.tables.read import read_table
from routers.registry import build_router
from routers.types import Candidate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from routers.types import Outcomes, Router


#: Distributions are looked at, not draws.
DRAWS = Random(0)  # noqa: S311 - no secret


@dataclass(frozen=True)
class World:
    """`rewards` and `costs` of `n` requests by `m` models, the policy that logs, and those that are estimated."""

    embeddings: np.ndarray
    tokens: np.ndarray
    rewards: np.ndarray
    costs: np.ndarray
    logging: np.ndarray
    targets: Mapping[str, np.ndarray]


def open_world(path: Path, floor: float, environment: Mapping[str, str]) -> World:
    """Read a table and let every policy choose for each of its prompts; the third best model is never tried."""
    table = read_table(path)
    embeddings = embed_all(table.prompts, open_encoder("minilm"), open_cache(environment))
    every = table.outcomes(table.complete(np.arange(len(table.prompts)), "all"), table.models, embeddings)
    train = table.outcomes(table.complete(table.rows("train"), "train"), table.models, embeddings)
    order = np.argsort(-np.nanmean(train.rewards, axis=0)).tolist()
    tried = [model for place, model in enumerate(table.models) if place != order[2]]
    known = {name: chosen(every, learned(spec, train), tried) for name, spec in specs(train, order).items()}
    logging = floored(known.pop("logging"), floor)
    known["never tried"] = chosen(every, learned({"type": "fixed", "model": table.models[order[2]]}, train))
    return World(
        every.embeddings,
        np.array(every.prompt_tokens, float),
        every.rewards.astype(float),
        every.costs_usd.astype(float),
        logging,
        known | {"half never tried": (known["never tried"] + known["uniform"]) / 2},
    )


def learned(spec: dict[str, Any], train: Outcomes) -> Router:
    """Return a router fitted to the training fold."""
    router = build_router(spec)
    router.learn(train)
    return router


def chosen(every: Outcomes, router: Router, models: list[str] | None = None) -> np.ndarray:
    """Return the distribution over all models for each prompt, where only some may be chosen."""
    contexts, candidates = every.contexts(), [Candidate(model) for model in models or every.models]
    ready = router.prepared(contexts, candidates) if hasattr(router, "prepared") else router
    place = {model: number for number, model in enumerate(every.models)}
    found = np.zeros((every.n, len(every.models)))
    for row, context in enumerate(contexts):
        for model, chance in next(ready.plan(context, candidates, DRAWS)).propensities.items():
            found[row, place[model]] = chance
    return found


def floored(chances: np.ndarray, floor: float) -> np.ndarray:
    """Return distributions in which every model that is tried at all has a chance of `floor` or more."""
    tried = (chances > 0).any(axis=0)
    return np.where(tried, floor + (1 - floor * tried.sum()) * chances, 0.0)


def specs(train: Outcomes, order: list[int]) -> dict[str, dict[str, Any]]:
    """Return the policy that logs, a softmax over neighbours' rewards, and those that are estimated."""
    fixed = {f"always number {n + 1}": train.models[order[n]] for n in (0, 1, len(order) // 2, len(order) - 1)}
    near, best, worst = {"type": "knn", "neighbours": 100}, train.models[order[0]], train.models[order[-1]]
    return {
        "logging": _estimating(near, "softmax", 0.7, temperature=0.05),
        **{name: {"type": "fixed", "model": model} for name, model in fixed.items()},
        "cheapest": {"type": "cheapest"},
        "uniform": {"type": "random"},
        "nine in ten best": {"type": "weighted", "weights": {best: 9, worst: 1}},
        **{f"knn greedy {dial}": _estimating(near, "greedy", dial) for dial in (0.2, 0.5, 0.7, 0.9)},
        "knn of ten": _estimating({"type": "knn", "neighbours": 10}, "greedy", 0.7),
        "knn thompson": _estimating(near, "thompson", 0.7, floor=0.01),
        "ridge greedy": _estimating({"type": "ridge"}, "greedy", 0.8),
        "ridge softmax": _estimating({"type": "ridge"}, "softmax", 0.7, temperature=0.1),
        "cluster greedy": _estimating({"type": "cluster"}, "greedy", 0.6, floor=0.02),
        "cluster epsilon": _estimating({"type": "cluster"}, "epsilon", 0.8, epsilon=0.2),
        "means softmax": _estimating({"type": "constant"}, "softmax", 0.7, temperature=0.05),
    }


def _estimating(
    estimator: dict[str, Any], rule: str, dial: float, floor: float = 0.0, **options: float
) -> dict[str, Any]:
    return {
        "type": "estimating",
        "estimator": estimator,
        "rule": {"type": rule, "floor": floor, **options},
        "quality_weight": dial,
    }
