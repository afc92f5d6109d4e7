"""Promotions by hand: rules, standings, and evidence of what answers were like."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from gateway.events import Decision, Feedback, Outcome
from gateway.promotion.machine import REQUESTS
from gateway.promotion.types import Limit, Rules, Stage, Standing
from gateway.store.base import LoggedEvent
from routers.sequential.evidence import CLUSTERS, Row, sums_of
from routers.sequential.weights import by_side

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
STAGES = (Stage("shadow", 0.0), Stage("canary", 0.1), Stage("ramp", 0.5), Stage("live", 1.0))
RULES = Rules("auto", "next", "next@1", STAGES, (Limit("errors", 0.1), Limit("cost", 0.2)), min_requests=20)


def standing(state="ramp", share=0.5, number=3, run=1, version="next@1"):
    return Standing(version, state, share, number, run, AT, AT)


def evidence(where, count, *, fails=(0.0, 0.0), costs=(1.0, 1.0), seed=0):
    """Return the sums of requests whose answers fail and cost as told, the candidate's first."""
    rng = random.Random(seed)
    return sums_of(row for _ in range(count) for row in request(where, rng, fails, costs))


def request(where, rng, fails, costs):
    """Yield the rows of one request."""
    promoted = rng.random() < where.share
    weights = by_side("candidate" if promoted else "live", where.share)
    values = {
        f"{REQUESTS}{where.number}": 0.0,
        "errors": float(rng.random() < fails[not promoted]),
        "cost": costs[not promoted] * rng.lognormvariate(0, 0.5),
    }
    cluster = rng.randrange(CLUSTERS)
    for name, value in values.items():
        yield Row(name, cluster, value, weights.candidate, weights.live, weights.overlap, promoted=promoted)


def logged(number=1, note=None, *, error=None, cost="0.002", scores=(), served_by="a"):
    """Return a request as the log has it."""
    decision = Decision(
        id=UUID(int=number),
        at=AT,
        request_id="r",
        policy="auto",
        policy_digest="d",
        requested_model="auto",
        stream=False,
        chosen="a",
        why="fixed",
        propensities={"a": 1.0},
        estimates={},
        features={},
        embedding=None,
        text=None,
        trace={} if note is None else {"promotion": note},
    )
    outcome = Outcome(
        decision_id=decision.id,
        at=AT,
        served_by=served_by,
        status=200 if error is None else 503,
        error=error,
        finish_reason="stop",
        prompt_tokens=1,
        completion_tokens=1,
        cached_tokens=0,
        cost_usd=None if cost is None else Decimal(cost),
        ttft_s=None,
        latency_s=0.5,
        attempts=(),
    )
    feedback = [
        Feedback(f"f{number}-{n}", decision.id, AT, "score", score, None, None, "user", None)
        for n, score in enumerate(scores)
    ]
    return LoggedEvent(decision, outcome, tuple(feedback))


def noted(side="candidate", state="ramp", **more):
    """Return what is noted with a decision on trial."""
    weights = by_side(side, 0.5)
    note = {
        "version": "next@1",
        "state": state,
        "share": 0.5,
        "number": 3,
        "run": 1,
        "side": side,
        "cluster": 7,
        "weights": [weights.candidate, weights.live, weights.overlap],
    }
    return note | more


def without_outcome(event):
    return replace(event, outcome=None)
