"""Plans played to their end, for examples: a router that has learned something, and models that all say the same."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from routers.checks.cases import POOL, contexts, outcomes
from routers.drive import drive
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.rules.greedy import Greedy
from routers.types import Answer

if TYPE_CHECKING:
    from routers.types import Router


def expecting(quality_weight: float = 0.0) -> Router:
    """Return a router that has learned how good and how dear the models of `POOL` are on average."""
    router = EstimatingRouter(Constant(), Greedy(), quality_weight=quality_weight)
    router.learn(outcomes(60))
    return router


def asked(router: Router, text: str = "42") -> list[list[str]]:
    """Return the models that each call of a plan goes to, where every one of them says that text."""
    plan = router.plan(contexts(1)[0], POOL, Random(0))  # noqa: S311 - no secret
    calls, _ = drive(plan, lambda candidate: Answer(candidate, text=text, finish_reason="stop"))
    return [[candidate.model for candidate in call.candidates] for call in calls]
