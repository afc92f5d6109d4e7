"""A plan's first call says how likely it was, whatever the plan makes of what its router draws."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random

import pytest

from routers.estimating import EstimatingRouter
from routers.gates.wellformed import Wellformed
from routers.plans.best_of import BestOf
from routers.plans.cascade import Cascade
from routers.plans.cascade_routing import CascadeRouting
from routers.plans.orchestrator import Orchestrator
from routers.plans.panel import Panel
from routers.plans.probe_expand import ProbeExpand
from routers.plans.self_consistency import SelfConsistency
from routers.plans.tiers import Tiers
from routers.rules.softmax import Softmax
from routers.types import Candidate, Context, Price
from tests.gateway.worlds import Known

POOL = tuple(Candidate(name, Price(Decimal(0), Decimal(usd))) for name, usd in (("a", 1), ("b", 2), ("c", 50)))
DRAWS = 400


def drawing():
    """Return a router that draws one of three, more often the better ones."""
    return EstimatingRouter(Known(a=0.5, b=0.6, c=0.7), Softmax(0.2), 1.0)


PLANS = {
    "best_of": BestOf(Wellformed(), drawing(), size=2),
    "cascade": Cascade(Wellformed(), drawing()),
    "cascade_routing": CascadeRouting(Wellformed(), drawing()),
    "orchestrator": Orchestrator("b", drawing()),
    "panel": Panel(drawing(), size=2),
    "probe_expand": ProbeExpand(drawing()),
    "self_consistency": SelfConsistency(drawing()),
    "tiers": Tiers(drawing()),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_models_are_asked_first_as_often_as_their_propensities_say(plan):
    """Of several that are asked at once, each has its share: that is what the log has of the decision."""
    asked, chances = Counter(), Counter()
    for seed in range(DRAWS):
        call = next(plan.plan(Context("hello", 2), POOL, Random(seed)))
        for candidate in call.candidates:
            asked[candidate.model] += 1 / len(call.candidates)
        chances.update(call.propensities)

    # Four standard errors of a share, at most.
    assert {m: chances[m] / DRAWS for m in chances} == pytest.approx({m: asked[m] / DRAWS for m in chances}, abs=0.1)
