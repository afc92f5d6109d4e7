"""A stage for plans: three models of different prices behind a transport that a test plays, and every plan there is."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2

from gateway.backend import Backend
from gateway.changes import UNCHANGED
from gateway.constraints import Constraints
from gateway.dispatch import Dispatcher, Terms
from gateway.eligibility import Demand
from gateway.endpoints.endpoint import Endpoint
from gateway.endpoints.fleet import Fleet
from gateway.metrics import Metrics
from gateway.plans.bounds import Bounds
from gateway.pricing import FlatTariff
from gateway.signals.request import estimate_prompt_tokens
from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat
from providers.provider import Provider
from providers.types import Target, Timeouts
from routers.estimating import EstimatingRouter
from routers.gates.agreement import Agreement
from routers.gates.combined import AllOf, Combined
from routers.gates.judge import Judge
from routers.gates.logprob import Logprob
from routers.gates.self_verification import SelfVerification
from routers.gates.wellformed import Wellformed
from routers.plans.best_of import BestOf
from routers.plans.cascade import Cascade
from routers.plans.cascade_routing import CascadeRouting
from routers.plans.orchestrator import Orchestrator
from routers.plans.panel import Panel
from routers.plans.probe_expand import ProbeExpand
from routers.plans.self_consistency import SelfConsistency
from routers.plans.tiers import Tiers
from routers.rules.greedy import Greedy
from routers.types import Candidate, Context, Price
from tests.gateway.worlds import Known

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from gateway.dispatch import Dispatched
    from providers.types import ChatRequest
    from routers.types import Router

PRICES = {
    "cheap": Price(Decimal(1), Decimal(2)),
    "middle": Price(Decimal(3), Decimal(10)),
    "dear": Price(Decimal(10), Decimal(40)),
}
POOL = tuple(Candidate(name, price, 100_000) for name, price in PRICES.items())
MESSAGES = [{"role": "user", "content": "What is 6 times 7?"}]
GATES = {
    "agreement": Agreement(),
    "all of": AllOf([Wellformed(), Judge("dear")]),
    "combined": Combined([Logprob(), SelfVerification(samples=2)]),
    "judge": Judge("dear"),
    "logprob": Logprob(),
    "self verification": SelfVerification(),
    "wellformed": Wellformed(),
}


def expecting() -> EstimatingRouter:
    """Return a router that begins with the cheap one, and expects more of those that cost more."""
    return EstimatingRouter(Known(cheap=0.3, middle=0.5, dear=0.6), Greedy(), quality_weight=0.0)


def plans() -> dict[str, Router]:
    """Return a router of every kind that plans several calls; those that have a gate once with each gate."""
    router = expecting()
    with_gates: dict[str, Router] = {f"cascade {name}": Cascade(gate, router) for name, gate in GATES.items()}
    with_gates |= {f"cascade_routing {name}": CascadeRouting(gate, router) for name, gate in GATES.items()}
    with_gates |= {f"best_of {name}": BestOf(gate, router) for name, gate in GATES.items()}
    return with_gates | {
        "orchestrator": Orchestrator("middle", router, max_questions=5),
        "panel": Panel(router, size=3),
        "panel vote": Panel(router, size=3, merge="vote", quorum=2),
        "panel llm": Panel(router, size=3, merge="llm"),
        "probe_expand": ProbeExpand(router),
        "self_consistency": SelfConsistency(router, samples=9, batch=4),
        "tiers": Tiers(router, confidence=0.9),
    }


@dataclass(slots=True)
class Stage:
    """The models, and who sends to them."""

    dispatcher: Dispatcher
    terms: Terms
    chat: ChatRequest

    async def run(self, router: Router, seed: int = 0) -> Dispatched:
        """Have a plan of the router's carried out. Raises as `Dispatcher.run` does."""
        plan = router.plan(Context("What is 6 times 7?", 10), self.terms.pool, random.Random(seed))
        return await self.dispatcher.run(plan, next(plan), self.terms, self.chat)

    @property
    def in_flight(self) -> int:
        """Return how many requests the endpoints are still counted to have."""
        return sum(self.dispatcher.fleet.condition(model).gate.in_flight for model in PRICES)


def stage(
    play: Callable[[httpx2.Request], Awaitable[httpx2.Response]],
    *,
    bounds: Bounds | None = None,
    pool: Collection[str] = tuple(PRICES),
    total_s: float = 30.0,
    fallback: tuple[str, ...] | None = None,
    forbidden: frozenset[str] = frozenset(),
    **body: Any,
) -> Stage:
    """Return a stage for one request, which the models of a pool may answer."""
    up = Provider(
        "up", base_url="http://up/v1", headers={}, adapter=OpenAIAdapter(), transport=httpx2.MockTransport(play)
    )
    backends = {
        one.model: Backend(one, (Endpoint(one.model, up, Target(one.model)),), FlatTariff(one.price)) for one in POOL
    }
    chat = parse_chat(json.dumps({"model": "p", "messages": MESSAGES, **body}).encode())
    limit = body.get("max_tokens")
    demand = Demand(Constraints(), prompt_tokens=estimate_prompt_tokens(chat.body), completion_tokens=limit)
    eligible = tuple(one for one in POOL if one.model in pool)
    terms = Terms(
        eligible,
        fallback,
        forbidden,
        Timeouts(total_s=total_s),
        None,
        {},
        UNCHANGED,
        demand=demand,
        bounds=bounds or Bounds(),
    )
    return Stage(Dispatcher(time.monotonic(), backends, Fleet(), Metrics(), random.Random(0)), terms, chat)
