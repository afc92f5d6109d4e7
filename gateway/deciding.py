"""From a request to a decision: what is known of it, the route that follows, who is eligible, who is chosen.

Nothing here sends anything or logs anything.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.deliberation import Deliberation, Stages, session_of
from gateway.exploration.budget import Budgets
from gateway.gathering import Gathering
from gateway.hedging.hedges import Hedges
from gateway.promotion.pairing import decided
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.types import Holder
from gateway.signals.extract import Readings

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from random import Random

    from gateway.constraints import Constraints
    from gateway.data_class import DataClassRules
    from gateway.deliberation import Routed
    from gateway.eligibility import Eligibility
    from gateway.endpoints.fleet import Fleet
    from gateway.exploration.rules import Because
    from gateway.latencies import Latencies
    from gateway.policy import Policies, Policy
    from gateway.promotion.promotions import Promotions
    from gateway.promotion.trial import Trial
    from gateway.quotas.quotas import Quotas
    from gateway.sessions import Sessions
    from gateway.signals.base import Request
    from gateway.signals.extract import Signals
    from providers.types import ChatRequest

#: Signals that every decision reads: how long the request is, what it needs, and what session it belongs to.
ALWAYS = frozenset({"length", "context", "needs", "session", "agent"})


@dataclass(slots=True)
class Ask:
    """A request to be decided on: as it came, as signals see it, and what its caller's key and the caller demand.

    Of higher `priority` it goes first where there is no room; `include_cost` asks for the cost in the usage. `holder`
    is on whose account it goes, but for the policy; `spent` says of models whose quota does not let it pass why.
    `identity` tells its caller's key from every other. `unexplored` says who does not want it to be explored with;
    None: nobody minds.
    """

    chat: ChatRequest
    request: Request
    constraints: Constraints
    priority: int = 1
    include_cost: bool = False
    holder: Holder = field(default_factory=Holder)
    spent: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""
    unexplored: Because | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What is known beyond the request, and changes from one to the next. Randomness comes from `rng`."""

    fleet: Fleet
    sessions: Sessions
    latencies: Latencies
    rng: Random
    quotas: Quotas
    #: What exploring has cost.
    exploration: Budgets = field(default_factory=lambda: Budgets(MemoryLedger()))
    #: Where candidates stand that are to take the place of policies; None: no candidate is asked.
    promotions: Promotions | None = None
    #: What hedging has taken.
    hedges: Hedges = field(default_factory=Hedges)


class Decider:
    """Decides by one configuration. `data_classes` of None: requests are not classed."""

    def __init__(
        self,
        policies: Policies,
        signals: Signals,
        eligibility: Eligibility,
        data_classes: DataClassRules | None,
        logged: frozenset[str] = frozenset(),
    ) -> None:
        self.policies = policies
        self.signals = signals
        self.eligibility = eligibility
        self.data_classes = data_classes
        self.gathering = Gathering()
        self._always = ALWAYS | logged | frozenset({"pii"} if data_classes and data_classes.reads_pii else ())
        #: The signals that are read first, by policy: there are as many as the configuration has names.
        self._reads: dict[str, frozenset[str]] = {}

    async def decide(self, ask: Ask, world: World) -> Routed:
        """Return who is to answer, and why.

        Raises `ModelNotFound`, `RequestError`, `RequestRejected` where a rule or the router refuses, and
        `NoEligibleModel` or `ContextExceeded` where no model may, or can, take the request.
        """
        stages, readings = Stages(time.monotonic()), Readings()
        resolved = self.policies.resolve(ask.chat.model)
        candidate = self.policies.candidate_of(resolved.policy)
        wanted = self._read_by(resolved.policy, candidate)
        if not self.signals.extract_now(ask.request, wanted, readings):
            await self.signals.extract(ask.request, wanted, readings, stages.began)
        stages.end("signals")

        trial = None if candidate is None else _trial(resolved.policy, ask, readings, world)
        if candidate is None or trial is None:
            return await Deliberation(ask, resolved, readings, stages, self, world).decide()

        def decide(policy: Policy) -> Coroutine[Any, Any, Routed]:
            version = resolved if policy is resolved.policy else replace(resolved, policy=policy)
            return Deliberation(ask, version, readings, stages, self, world).decide()

        return await decided(trial, resolved.policy, candidate, decide)

    def _read_by(self, policy: Policy, candidate: Policy | None) -> frozenset[str]:
        """Return the signals that a policy's rules, or those of its candidate, read, and those of every decision."""
        read = self._reads.get(policy.name)
        if read is None:
            read = self._always | policy.signals | (candidate.signals if candidate else frozenset())
            self._reads[policy.name] = read
        return read


def _trial(policy: Policy, ask: Ask, readings: Readings, world: World) -> Trial | None:
    """Return the trial that a request is part of; None for none."""
    if policy.promotion is None or world.promotions is None:
        return None
    units = {
        "session": session_of(ask.request, readings.features),
        "caller": ask.identity or ask.request.caller.name or ask.holder.user or "",
        "request": "",
    }
    unit = units[policy.promotion.sticky] or f"{world.rng.getrandbits(64):x}"
    return world.promotions.trial(policy, unit)
