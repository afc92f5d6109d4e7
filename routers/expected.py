"""What a router expects of many requests, as arrays."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np

from routers.evaluation.replay import Preparable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.types import Call, Candidate, Context, Router

    Array = NDArray[np.float64]


def first_calls(router: Router, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> list[Call | None]:
    """Return what the router would call first for each request; None where it refuses. All in one batch if it can."""
    ready = router.prepared(contexts, candidates) if isinstance(router, Preparable) else router
    rng = Random(0)  # noqa: S311 - what is drawn makes no difference to what is expected
    return [next(ready.plan(context, candidates, rng), None) for context in contexts]


def expected(calls: Sequence[Call | None], models: Sequence[str]) -> tuple[Array, Array]:
    """Return the expected rewards and the costs in USD, both `[n, m]`; NaN for what a call does not say."""
    rewards, costs = np.full((2, len(calls), len(models)), np.nan)
    for row, call in enumerate(calls):
        if call is not None:
            means = {model: estimate.mean for model, estimate in call.estimates.items()}
            rewards[row] = [means.get(model, np.nan) for model in models]
            costs[row] = [call.expected_cost_usd.get(model, np.nan) for model in models]
    return rewards, costs
