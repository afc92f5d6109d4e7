"""One judgement: who is asked what, in which order, and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.constraints import UNBOUNDED
from gateway.eligibility import Demand, expected_cost_usd
from gateway.judging.opinion import Opinion
from gateway.judging.prompt import pair_prompt, prompt_digest, score_prompt
from gateway.judging.verdict import merged, read_better, read_score
from gateway.signals.tokens import estimate_tokens
from gateway.store.money import to_nanos
from providers.chat import edited

if TYPE_CHECKING:
    from gateway.judging.asking import Asking, Purse
    from gateway.judging.case import Case
    from gateway.judging.rules import JudgingRules
    from routers.types import Candidate

#: Tokens of what a judge is told besides what it judges, about.
PROMPT_TOKENS = 400


@dataclass(frozen=True, slots=True)
class Hearing:
    """A case, its judge, and who gives the second answer where two are compared."""

    case: Case
    judge: str
    rival: Candidate | None
    rules: JudgingRules

    def most_nano_usd(self, asking: Asking) -> int:
        """Return about what it costs at most."""
        judge = asking.backends[self.judge].candidate
        shown = round(estimate_tokens(self.case.question) + estimate_tokens(self.case.answer)) + PROMPT_TOKENS
        demand = self.case.request.routed.demand
        second = expected_cost_usd(self.rival, demand) if self.rival else None
        shown += demand.most_completion_tokens if self.rival else 0
        verdict = expected_cost_usd(
            judge, Demand(UNBOUNDED, prompt_tokens=shown, completion_tokens=self.rules.max_tokens)
        )
        verdicts = (verdict or Decimal()) * (2 if self.rival else 1)
        return to_nanos(verdicts + (second or Decimal()))

    async def hold(self, asking: Asking, purse: Purse) -> Opinion | None:
        """Return what the judge finds, None where it says nothing that counts. Raises `NoAnswer`."""
        if self.rival is None:
            return await self._grade(asking, purse)
        return await self._compare(self.rival, asking, purse)

    async def _grade(self, asking: Asking, purse: Purse) -> Opinion | None:
        nonce = _nonce(asking)
        messages = score_prompt(self.case.question, self.case.answer, nonce, self.rules.criteria)
        said = await asking.verdict(self.judge, messages, self.rules.max_tokens, self.case.forbidden, purse)
        value = read_score(said, nonce)
        return None if value is None else self._opinion(value, (len(self.case.answer),))

    async def _compare(self, rival: Candidate, asking: Asking, purse: Purse) -> Opinion | None:
        """Compare with another model's answer, each standing first once."""
        routed = self.case.request.routed
        chat = edited(routed.chat, {"stream": False}, ("stream_options", "n"))
        other = await asking.text(rival.model, chat, self.case.forbidden, purse, routed.route.changes)
        if not other.strip():
            return None
        first = await self._better((self.case.answer, other), asking, purse)
        if first is None:
            return None  # without both orders there is no verdict, and the other one would cost
        value = merged(first, await self._better((other, self.case.answer), asking, purse))
        return None if value is None else self._opinion(value, (len(self.case.answer), len(other)))

    async def _better(self, answers: tuple[str, str], asking: Asking, purse: Purse) -> float | None:
        nonce = _nonce(asking)
        messages = pair_prompt(self.case.question, answers, nonce, self.rules.criteria)
        said = await asking.verdict(self.judge, messages, self.rules.max_tokens, self.case.forbidden, purse)
        return read_better(said, nonce)

    def _opinion(self, value: float, characters: tuple[int, ...]) -> Opinion:
        return Opinion(
            judge=self.judge,
            mode=self.rules.mode,
            value=value,
            model=self.case.model,
            other=self.rival.model if self.rival else None,
            chance=self.case.chance,
            prompt=prompt_digest(self.rules.criteria),
            characters=characters,
        )


def _nonce(asking: Asking) -> str:
    """Return a word that what is judged cannot contain: it was written before."""
    return f"{asking.rng.getrandbits(96):024x}"
