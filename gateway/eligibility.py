"""Which models may see and can take a request: hard limits, applied before any router chooses.

What is removed here is never asked, neither first nor as a fallback.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from routers.efforts import AS_ASKED, stands_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.constraints import Constraints
    from gateway.data_class import DataClasses
    from routers.efforts import Effort
    from routers.types import Candidate

#: Tokens that an answer is expected to have at most where the request sets no limit.
ASSUMED_COMPLETION_TOKENS = 512
#: An estimated prompt has to be larger than a model's window by this factor before the model is left out:
#: the endpoint's own count decides the doubtful cases.
WINDOW_TOLERANCE = 1.25
#: Needs that go by another capability, or by none.
CAPABILITY_OF: Mapping[str, str | None] = {"tool_history": "tools", "refusal": None, "long_context": None}
MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Ability:
    """What a model can take, and what it may see.

    `capabilities` of None is unknown: then nothing is held against it. `clearance` is the highest data class that it
    may see; None is the lowest. `tool_call_id` is the form that its endpoint demands of ids of tool calls.
    """

    capabilities: frozenset[str] | None = None
    clearance: str | None = None
    tool_call_id: str | None = None


#: A model of which nothing is known.
UNKNOWN = Ability()
#: No model.
NOBODY: frozenset[str] = frozenset()


@dataclass(slots=True)
class Demand:
    """What a request asks of whoever answers it.

    `prompt_tokens` is exact or an estimate, `completion_tokens` the limit that the request sets, if any, for each of
    `answers` choices. `effort` is how much the request itself asks to reason, where that counts. `latencies_s` is what
    models took lately. `data_class` is None where no data classes are configured.
    """

    constraints: Constraints
    needs: frozenset[str] = frozenset()
    prompt_tokens: int = 0
    exact: bool = False
    completion_tokens: int | None = None
    answers: int = 1
    tool_call_ids: frozenset[str] = frozenset()
    data_class: str | None = None
    effort: Effort = AS_ASKED
    latencies_s: Mapping[str, float] = field(default_factory=dict)
    #: By how much a prompt that was estimated is taken to be longer, where what it costs must not be more.
    caution: float = 1.0
    #: Tokens that an answer may have at most, whoever gives it: it is sent with that limit. None: any number.
    most_tokens: int | None = None

    def at_any_effort(self) -> Demand:
        """Return what is asked where the effort that the request itself asks for does not count."""
        return self if self.effort is AS_ASKED else replace(self, effort=AS_ASKED)

    @property
    def most_completion_tokens(self) -> int:
        """Return how many tokens all answers together may have; assumed where the request sets no limit."""
        return self.answers * self._each

    def most_of(self, candidate: Candidate) -> int:
        """Return how many tokens all answers of a candidate may have, its reasoning included: that is paid for, too."""
        most, budget = candidate.effort.max_tokens, candidate.effort.budget or 0
        each = self._each + (budget if self.completion_tokens is None else 0)
        return self.answers * (each if most is None else min(each, most))

    @property
    def _each(self) -> int:
        return ASSUMED_COMPLETION_TOKENS if self.completion_tokens is None else self.completion_tokens


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Knows every model's abilities, and the ladder of data classes (None: there are none)."""

    abilities: Mapping[str, Ability]
    data_classes: DataClasses | None = None

    def removed(self, candidates: Sequence[Candidate], demand: Demand) -> dict[str, str]:
        """Return the models that must not or cannot answer, each with the first reason against it."""
        # Of whom nothing special is asked, little can be held against: that is nearly every request.
        against = _too_short if self._is_modest(demand) else self._against
        removed = {}
        for candidate in candidates:
            if (reason := against(candidate, demand)) is not None:
                removed[candidate.model] = reason
        return removed

    def forbidden(self, demand: Demand) -> frozenset[str]:
        """Return all models that may not see the request, in whatever pool: for its data class, or a caller's word."""
        constraints = demand.constraints
        unclassed = self.data_classes is None or demand.data_class is None
        if unclassed and not constraints.deny and constraints.allow is None:
            return NOBODY
        return frozenset(
            model
            for model, ability in self.abilities.items()
            if self._too_open(ability, demand) or _unwanted(model, demand)
        )

    def _is_modest(self, demand: Demand) -> bool:
        """Tell whether nothing can be held against a model but its window, or how little an answer may have."""
        bounds = demand.constraints
        if demand.needs or demand.tool_call_ids or demand.data_class is not None or demand.effort is not AS_ASKED:
            return False
        if bounds.deny or bounds.allow is not None:
            return False
        return bounds.max_cost_usd is None and bounds.max_latency_s is None

    def _too_open(self, ability: Ability, demand: Demand) -> bool:
        if self.data_classes is None or demand.data_class is None:
            return False
        return not self.data_classes.permits(ability.clearance, demand.data_class)

    def _against(self, candidate: Candidate, demand: Demand) -> str | None:
        """Return the first reason against a candidate, None where there is none."""
        ability = self.abilities.get(candidate.model, UNKNOWN)
        if self._too_open(ability, demand):
            cleared = ability.clearance or "the lowest class"
            return f"data class: the request is {demand.data_class}, the model is cleared for {cleared}"
        if reason := _unwanted(candidate.model, demand):
            return reason
        for check in _CHECKS:
            if reason := check(candidate, ability, demand):
                return reason
        return None


def _unwanted(model: str, demand: Demand) -> str | None:
    constraints = demand.constraints
    if constraints.deny and stands_for(model, constraints.deny):
        return "denied: the caller or its key denies it"
    if constraints.allow is not None and not stands_for(model, constraints.allow):
        return "denied: the caller or its key allows others only"
    return None


def _lacking(_: Candidate, ability: Ability, demand: Demand) -> str | None:
    if ability.capabilities is None or not demand.needs:
        return None
    needed = {CAPABILITY_OF.get(need, need) for need in demand.needs} - {None}
    lacking = sorted(str(need) for need in needed - ability.capabilities)
    return f"capability: it lacks {', '.join(lacking)}" if lacking else None


def _other_effort(candidate: Candidate, _: Ability, demand: Demand) -> str | None:
    own, asked = candidate.effort, demand.effort
    if own.budget is not None and demand.completion_tokens is not None and own.budget >= demand.completion_tokens:
        return f"effort: of {demand.completion_tokens} tokens its budget leaves none for the answer"
    if asked is AS_ASKED or AS_ASKED.reasoning in (own.reasoning, asked.reasoning) or own.reasoning == asked.reasoning:
        return None
    return f"effort: the request itself asks for {asked}"


def _strange_ids(_: Candidate, ability: Ability, demand: Demand) -> str | None:
    if ability.tool_call_id is None:
        return None
    strange = [id_ for id_ in demand.tool_call_ids if not re.fullmatch(ability.tool_call_id, id_)]
    return "history: its endpoint refuses the ids of the tool calls" if strange else None


def _too_small(candidate: Candidate, _: Ability, demand: Demand) -> str | None:
    window = candidate.context_window
    certain = 1.0 if demand.exact else WINDOW_TOLERANCE
    if window is None or demand.prompt_tokens <= window * certain:
        return None
    return f"context_window: {demand.prompt_tokens} tokens do not fit into {window}"


def _too_short(candidate: Candidate, demand: Demand) -> str | None:
    """Return what is held against a candidate that nothing special is asked of: what room there is, in and out."""
    limited = demand.completion_tokens is not None
    reason = _other_effort(candidate, UNKNOWN, demand) if limited else None
    return reason or _too_small(candidate, UNKNOWN, demand)


def _too_dear(candidate: Candidate, _: Ability, demand: Demand) -> str | None:
    most = demand.constraints.max_cost_usd
    if most is None:
        return None
    cost = expected_cost_usd(candidate, demand)
    if cost is None:
        return f"max_cost_usd: its price is unknown, so that it may cost more than {most:g} USD"
    return f"max_cost_usd: {float(cost):.3g} USD expected, {most:g} allowed" if cost > Decimal(str(most)) else None


def _too_slow(candidate: Candidate, _: Ability, demand: Demand) -> str | None:
    most, lately = demand.constraints.max_latency_s, demand.latencies_s.get(candidate.model)
    if most is None or lately is None or lately <= most:
        return None
    return f"max_latency_s: it took {lately:.3g} s lately, {most:g} allowed"


#: In the order in which reasons are given.
_CHECKS: tuple[Callable[[Candidate, Ability, Demand], str | None], ...] = (
    _lacking,
    _other_effort,
    _strange_ids,
    _too_small,
    _too_dear,
    _too_slow,
)


def expected_cost_usd(candidate: Candidate, demand: Demand) -> Decimal | None:
    """Return what a request may cost by its price: as many answers as it asks for, as long as it lets them be.

    None where no price is known.
    """
    if candidate.price is None:
        return None
    output = demand.most_of(candidate) * candidate.price.output
    return (math.ceil(demand.prompt_tokens * demand.caution) * candidate.price.input + output) / MILLION
