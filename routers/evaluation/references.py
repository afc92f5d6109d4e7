"""What a router has to be held against, each as a curve over the same requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.evaluation.replay import Sweep
from routers.evaluation.yardstick import best_single, means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.types import Outcomes

    Column = NDArray[np.float64]

#: How the reference of one model is named.
SINGLE = "single:"
#: References of which any two settings at random are a setting too.
MIXING = frozenset({"zero"})


def references(train: Outcomes, test: Outcomes, quality_weights: Sequence[float]) -> dict[str, Sweep]:
    """Return the references by name, on `test`, which has neither rewards nor costs missing.

    `best_single` is the model that was best in training, always; `cheapest` the one that costs least. `random` is
    the expectation over an even choice. `zero` has every single model as a point: its hull is what mixing two of
    them at random reaches with hindsight. `task_oracle` is told each request's task, and expects what the models
    earned and cost on it in training. `oracle` knows every outcome. And `single:MODEL` for each model.
    """
    everyone = np.arange(len(test.models))
    unit = float(np.nan_to_num(means(train.costs_usd)).max())
    curves = {
        "best_single": _singles(test, [best_single(train)]),
        "cheapest": _singles(test, [int(means(test.costs_usd).argmin())]),
        "random": _random(test),
        "zero": _singles(test, everyone),
        "task_oracle": _told(test, *task_means(train, test.tasks), quality_weights, unit),
        "oracle": _told(test, test.rewards, test.costs_usd, quality_weights, unit),
    }
    return curves | {SINGLE + model: _singles(test, [column]) for column, model in enumerate(test.models)}


def task_means(train: Outcomes, tasks: Sequence[str]) -> tuple[Column, Column]:
    """Return what each model earned and cost in training on requests of these tasks, `[len(tasks), m]` both.

    Where a model was not run on a task, its mean over all tasks stands in.
    """
    known = np.array(train.tasks)
    rows = {task: np.flatnonzero(known == task) for task in set(tasks)}
    rewards = {task: _filled(train.rewards, found) for task, found in rows.items()}
    costs = {task: _filled(train.costs_usd, found) for task, found in rows.items()}
    return np.stack([rewards[task] for task in tasks]), np.stack([costs[task] for task in tasks])


def _filled(values: NDArray[np.floating], rows: NDArray[np.intp]) -> Column:
    of_task, of_all = means(values[rows]), means(values)
    return np.where(np.isnan(of_task), of_all, of_task)


def _singles(test: Outcomes, models: Sequence[int] | NDArray[np.intp]) -> Sweep:
    chosen = np.asarray(models)
    return Sweep(
        quality_weights=(None,) * len(chosen),
        quality=test.rewards[:, chosen].T.astype(np.float32),
        cost_usd=test.costs_usd[:, chosen].T.astype(np.float32),
        shares=np.eye(len(test.models), dtype=np.float32)[chosen],
    )


def _random(test: Outcomes) -> Sweep:
    m = len(test.models)
    return Sweep(
        quality_weights=(None,),
        quality=test.rewards.mean(axis=1)[None, :].astype(np.float32),
        cost_usd=test.costs_usd.mean(axis=1)[None, :].astype(np.float32),
        shares=np.full((1, m), 1 / m, np.float32),
    )


def _told(
    test: Outcomes, rewards: NDArray[np.floating], costs: NDArray[np.floating], weights: Sequence[float], unit: float
) -> Sweep:
    """Return the sweep of the greedy choice given rewards and costs `[n, m]` to expect; `unit` is the dial's."""
    rows = np.arange(test.n)
    chosen = [_greedy(np.nan_to_num(rewards, nan=-1.0), np.nan_to_num(costs, nan=np.inf), w, unit) for w in weights]
    counts = [np.bincount(one, minlength=len(test.models)) / test.n for one in chosen]
    return Sweep(
        quality_weights=tuple(weights),
        quality=np.stack([test.rewards[rows, one] for one in chosen]).astype(np.float32),
        cost_usd=np.stack([test.costs_usd[rows, one] for one in chosen]).astype(np.float32),
        shares=np.stack(counts).astype(np.float32),
    )


def _greedy(rewards: Column, costs: Column, weight: float, unit: float) -> NDArray[np.intp]:
    """Return the column of the highest utility in each row, the cheapest of equals; at 0 the cheapest."""
    if weight <= 0:
        return np.lexsort((-rewards, costs), axis=1)[:, 0]
    price = (1 - weight) / (weight * unit) if unit > 0 and weight < 1 else 0.0
    paid = price * costs if price else np.zeros_like(costs)
    return np.lexsort((costs, paid - rewards), axis=1)[:, 0]
