"""Promises by hand, and requests that were answered under them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gateway.events import Feedback
from routers.registry import build_router
from routers.types import Outcomes
from tests.gateway.promotion.evidence import AT
from tests.gateway.promotion.evidence import logged as answered

if TYPE_CHECKING:
    from routers.promise import Promise

SPEC = {
    "type": "promise",
    "reference": "large",
    "alpha": 0.1,
    "router": {
        "type": "estimating",
        "estimator": {"type": "knn", "neighbours": 20},
        "rule": {"type": "greedy", "floor": 0},
    },
}


def table(n=2000, seed=0):
    """Return outcomes of which a small model gets the more wrong the further west; it costs a tenth of the reference."""
    rng = np.random.default_rng(seed)
    place = rng.random(n)
    vectors = np.stack([np.cos(3 * place), np.sin(3 * place)], axis=1).astype(np.float32)
    rewards = np.stack([rng.random(n) > 0.3 * place, np.ones(n)], axis=1).astype(np.float32)
    costs = np.tile(np.float32([0.1, 1.0]), (n, 1))
    return Outcomes(("small", "large"), vectors, rewards, costs, np.full_like(costs, np.nan))


def promise(seed=0) -> Promise:
    """Return a promise that was proved."""
    router = build_router(SPEC)
    router.learn(table(seed=seed))
    return router


def request(number, promising, *, served="small", worse=None, sampled=1.0, source="judge:judge", **decided):
    """Return a request as the log has it, and a judge's preference if `worse` says whether the answer was worse."""
    event = answered(number, served_by=served)
    decision = replace(event.decision, chosen=served, **{"why": promising.stated, "policy": "careful", **decided})
    if worse is None:
        return replace(event, decision=decision)
    value, comment = (0.0 if worse else 0.5), json.dumps({"sampled": sampled})
    told = Feedback(f"f{number}", decision.id, AT, "preference", value, served, "large", source, comment)
    return replace(event, decision=decision, feedback=(told,))
