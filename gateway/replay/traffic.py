"""Where a policy sends the requests: which models, from which others, and how often by chance alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gateway.redeciding.difference import REFUSED
from routers.evaluation.off_policy.overlap import by_model, effective_by_model, observed_by_model

if TYPE_CHECKING:
    from gateway.replay.columns import Columns, Policy
    from routers.evaluation.off_policy.sample import Column, Matrix

#: Flows below this share of the traffic are not named.
SMALLEST = 1e-3
#: Ends of the classes that weights are counted in.
WEIGHT_ENDS = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True, slots=True)
class Model:
    """A model's shares of the traffic, what of the new one the log never gave a chance, and its rows.

    `requests` it was drawn for, of which `observed` have a quality; these count for `effective` under the policy.
    """

    model: str
    old_share: float
    new_share: float
    unsupported: float
    requests: int
    observed: int
    effective: float


@dataclass(frozen=True, slots=True)
class Flow:
    """The share of the traffic that goes from one model to another."""

    old: str
    new: str
    share: float


@dataclass(frozen=True, slots=True)
class Weights:
    """How many rows have a weight above `low`, and at most `high` (None: no end); both zero: none at all."""

    low: float
    high: float | None
    rows: int


def models_of(columns: Columns, new: Policy, old: Policy) -> tuple[Model, ...]:
    """Return every model, the one with the largest share first."""
    drawn = columns.sample("quality", new)
    shares, gone = by_model(drawn)
    before, _ = by_model(columns.sample("quality", old))
    effective, observed = effective_by_model(drawn), observed_by_model(drawn)
    requests = np.bincount(columns.log.actions, minlength=len(columns.models))
    found = [
        Model(
            name,
            float(before[n]),
            float(shares[n]),
            float(gone[n]),
            int(requests[n]),
            int(observed[n]),
            float(effective[n]),
        )
        for n, name in enumerate(columns.models)
    ]
    return tuple(sorted(found, key=lambda one: (-one.new_share, one.model)))


def flows_of(columns: Columns, new: Policy, old: Policy) -> tuple[Flow, ...]:
    """Return where the traffic moves, the largest flow first: of each request, no more than has to."""
    names = (*columns.models, REFUSED)
    before, after = (_whole(policy) for policy in (old, new))
    same = np.minimum(before, after)
    lost, won = before - same, after - same
    moved = lost.sum(axis=1)
    parts = lost / np.where(moved > 0, moved, 1.0)[:, None]
    shares = parts.T @ won / max(len(moved), 1)
    found = [Flow(a, b, float(shares[i, j])) for i, a in enumerate(names) for j, b in enumerate(names)]
    return tuple(sorted((one for one in found if one.share >= SMALLEST), key=lambda one: -one.share))


def moved_of(columns: Columns, policy: Policy) -> float:
    """Return the share of the traffic that a policy sends elsewhere than the log mostly did."""
    return float(1 - np.minimum(_whole(policy), _whole(columns.ran)).sum(axis=1).mean())


def weights_of(columns: Columns, policy: Policy) -> tuple[Weights, ...]:
    """Return how the weights are spread, whether a row was rated or not."""
    drawn = columns.sample("cost", policy)
    weights = drawn.at_actions(drawn.ratios)
    classes = ((0.0, 0.0), *pairwise((*WEIGHT_ENDS, math.inf)))
    return tuple(
        Weights(low, high if math.isfinite(high) else None, _within(weights, low, high)) for low, high in classes
    )


def _within(weights: Column, low: float, high: float) -> int:
    above = weights >= low if low == high else weights > low
    return int((above & (weights <= high)).sum())


def _whole(policy: Policy) -> Matrix:
    """Return the distribution with one column more: what is refused."""
    return np.column_stack([policy.target, policy.refused])
