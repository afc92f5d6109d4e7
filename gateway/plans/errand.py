"""A call on its way: what is sent to whoever is asked, no longer than can be paid for, and what it has taken."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from gateway.charging import UNKNOWN, Charge
from gateway.failures import OutOfBounds, Step
from gateway.plans.request import LIMITS, request_for
from gateway.signals.request import TOKENS_PER_MESSAGE
from gateway.signals.tokens import estimate_tokens
from providers.errors import ConnectFailed, ConnectionLost
from providers.types import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backend import Backend
    from gateway.eligibility import Demand
    from gateway.pricing import Tariff
    from providers.errors import ProviderError
    from providers.types import ChatRequest
    from routers.types import Call, Candidate, Turn

#: A call of which fewer tokens can be paid for is not made.
LEAST_TOKENS: Final = 16
#: How long an answer may be where nobody says so and a limit has to be set: no endpoint refuses that one as too high.
UNSTATED_TOKENS: Final = 4096
#: Tokens of which the price is asked.
MANY: Final = 1_000_000
NOTHING: Final = Decimal(0)


@dataclass(slots=True)
class Errand:
    """One call, as it is sent to one candidate after the other until one answers.

    `usd` is what all of that may take at most, None: any sum; `then` is what follows where nobody answers. `took_usd`
    is what it has taken up to now: at most, where that is not known. `asked` has the call and has not failed.
    """

    chat: ChatRequest
    call: Call
    demand: Demand
    backends: Mapping[str, Backend]
    usd: Decimal | None = None
    then: Step = Step.ESCALATED
    took_usd: Decimal = NOTHING
    asked: Backend | None = None
    _at_stake: Decimal = NOTHING

    def to(self, candidate: Candidate) -> ChatRequest:
        """Return what a candidate is sent: the call, with no more tokens than can be paid for.

        Raises `OutOfBounds` where that would be none, or the price is unknown: it might cost anything.
        """
        backend = self.backends[candidate.model]
        call = self.call if self.usd is None else self._bounded(backend, self.usd - self.took_usd)
        self.asked = backend
        return request_for(self.chat, call, backend.limit)

    def failed(self, error: ProviderError) -> None:
        """Note that who was asked has failed before an answer began.

        Of a call that is heard out, it counts as all that it may have cost. Where the client waits for this very call,
        it counts for nothing, as it does in the log: else nobody could be asked in its place.
        """
        if self.asked is not None and self.then is Step.PLAN and may_cost(error):
            self.took_usd += self._at_stake
        self.asked = None

    def took(self, charge: Charge) -> None:
        """Note what the answer cost. Where its tokens were not counted, it counts as all that it may have cost."""
        usd = charge.usd or NOTHING
        counted = charge.usd is not None and charge.source != "estimated"
        self.took_usd += usd if counted else max(self._at_stake, usd)

    def cut(self) -> Charge:
        """Return what is owed to whoever was asked and is given up before an answer began: for the prompt."""
        if self.asked is None or self.asked.tariff is None:
            return UNKNOWN
        return Charge(self.asked.tariff.cost_usd(Usage(self.prompt_tokens, 0)), "estimated")

    @property
    def left_usd(self) -> Decimal | None:
        """Return what is left beside the call, if it takes all that it may; None: any sum."""
        return None if self.usd is None else self.usd - self.took_usd - self._at_stake

    @property
    def prompt_tokens(self) -> int:
        """Return about how many tokens the call's prompt has."""
        turns = self.call.turns
        return self._told + sum(map(_tokens, turns)) if turns else self._told

    def _bounded(self, backend: Backend, usd: Decimal) -> Call:
        """Return the call with a limit that a sum pays for; as it is, where its own is lower."""
        prompt, answers = self._most_prompt_tokens, 1 if self.call.bare else self.demand.answers
        affordable = _affordable(backend.tariff, usd, prompt, answers)
        stated, wanted = self._stated, self._wanted(backend)
        if backend.tariff is None:
            raise OutOfBounds(f"the price of {backend.candidate.model} is unknown: it may cost anything", status=403)
        if affordable < min(LEAST_TOKENS, wanted):
            raise OutOfBounds(f"{usd:.3g} USD are left, which is too little for {backend.candidate.model}", status=403)
        tokens = min(affordable, wanted)
        self._at_stake = backend.tariff.cost_usd(Usage(prompt, tokens * answers))
        return self.call if stated is not None and stated <= tokens else _limited(self.call, tokens)

    @property
    def _stated(self) -> int | None:
        """Return how many tokens an answer may have by what would be sent; None where that does not say."""
        if "max_tokens" in self.call.parameters:
            return _number(self.call.parameters["max_tokens"])
        return max((limit for name in LIMITS if (limit := _number(self.chat.body.get(name)))), default=None)

    def _wanted(self, backend: Backend) -> int:
        """Return how many tokens an answer may have at most, whoever says so; its window leaves room for no more."""
        own = None if "max_tokens" in self.call.parameters else self.demand.completion_tokens
        limits = (self._stated, own, backend.candidate.effort.max_tokens)
        window = backend.candidate.context_window
        unstated = backend.max_tokens or UNSTATED_TOKENS
        if window is not None:
            unstated = min(unstated, max(window - self._most_prompt_tokens, LEAST_TOKENS))
        return min((limit for limit in limits if limit is not None), default=unstated)

    @property
    def _told(self) -> int:
        """Return how many tokens of the prompt are the client's."""
        return self.demand.prompt_tokens if self.call.conversation else 0

    @property
    def _most_prompt_tokens(self) -> int:
        """Return how many tokens the prompt may have: of what models have said, each character may be one."""
        said = sum(max(len(turn.content) + TOKENS_PER_MESSAGE, _tokens(turn)) for turn in self.call.turns)
        return math.ceil(self._told * self.demand.caution) + said


def may_cost(error: ProviderError) -> bool:
    """Tell whether a call that failed so may be charged: not where it never arrived, or was answered with an error."""
    unreached = isinstance(error, ConnectFailed) and not isinstance(error, ConnectionLost)
    return error.status is None and not unreached


def _number(limit: Any) -> int | None:
    """Return a limit that is one; others limit nothing."""
    return limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else None


def _tokens(turn: Turn) -> int:
    return math.ceil(estimate_tokens(turn.content)) + TOKENS_PER_MESSAGE


def _limited(call: Call, tokens: int) -> Call:
    return replace(call, parameters={**call.parameters, "max_tokens": tokens})


def _affordable(tariff: Tariff | None, usd: Decimal, prompt_tokens: int, answers: int) -> int:
    """Return how many tokens each of the answers may have, so that all take no more than a sum."""
    if tariff is None:
        return 0
    prompt = tariff.cost_usd(Usage(prompt_tokens, 0))
    each = (tariff.cost_usd(Usage(prompt_tokens, MANY)) - prompt) / MANY * answers
    if usd < prompt:
        return 0
    return min(int((usd - prompt) / each), MANY) if each else MANY
