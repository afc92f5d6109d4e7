"""Draws answers and has them judged, in the background: no request waits, and no failure of it reaches anybody."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.judging.asking import NoAnswer, Purse
from gateway.judging.case import answered_by, case_of, rival_of, variance_of
from gateway.judging.family import judge_for
from gateway.judging.hearing import Hearing
from gateway.judging.opinion import feedback
from gateway.judging.sampling import Variances, chance
from gateway.store.money import to_nanos

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.events import Feedback, Outcome
    from gateway.implicit.answer import Gathered
    from gateway.implicit.ear import Overheard
    from gateway.judging.asking import Asking
    from gateway.judging.budget import Budget
    from gateway.judging.case import Case
    from gateway.judging.opinion import Opinion
    from gateway.judging.rules import JudgingRules

logger = logging.getLogger("pointsman")

#: Who judged, where nobody did.
NOBODY = "none"


class Judging:
    """Listens to answers by the rules of one configuration. `tell` is given what judges found."""

    def __init__(self, rules: JudgingRules, asking: Asking, budget: Budget, tell: Callable[[Feedback], None]) -> None:
        self._rules = rules
        self._asking = asking
        self._budget = budget
        self._tell = tell
        self._variances = Variances()
        self._room = asyncio.Semaphore(rules.at_once)
        self._tasks: set[asyncio.Task[None]] = set()

    def asked(self, request: Overheard) -> None:
        """Do nothing: there is no answer yet."""

    def answered(self, request: Overheard, answer: Gathered, outcome: Outcome) -> None:
        """Draw whether an answer is judged; if so, begin to have it judged."""
        model = answered_by(outcome)
        if model is None:
            return
        relative = self._variances.relative(variance_of(request.decision, model))
        probability = chance(self._rules, request.decision.policy, relative)
        if not probability or self._asking.rng.random() >= probability:
            return
        case = case_of(request, answer, model, probability, self._rules.max_characters)
        if case is None:
            self._count(NOBODY, "unfit")
        elif len(self._tasks) >= self._rules.queue + self._rules.at_once:
            self._count(NOBODY, "dropped")
        else:
            task = asyncio.get_running_loop().create_task(self._in_turn(case))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until all that was drawn has been judged."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Give up what is not judged yet: the endpoints that it would be asked of are about to be closed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _in_turn(self, case: Case) -> None:
        async with self._room:
            hearing = self._hearing(case)
            if hearing is None:
                self._count(NOBODY, "barred")
            elif not await self._within_budget(hearing):
                self._count(hearing.judge, "budget")

    def _hearing(self, case: Case) -> Hearing | None:
        """Return who judges, and who gives a second answer; None where nobody may."""
        rules, rival = self._rules, None
        if rules.mode == "pairwise":
            rival = rival_of(case, case.forbidden, self._asking.backends, self._asking.rng)
            if rival is None:
                return None
        answerers = [case.model, *([rival.model] if rival else [])]
        judge = judge_for(answerers, rules.judges, case.forbidden, rules.families)
        return None if judge is None else Hearing(case, judge, rival, rules)

    async def _within_budget(self, hearing: Hearing) -> bool:
        """Hold a hearing, if there is money for it; return whether there was."""
        at, reserved = datetime.now(UTC), hearing.most_nano_usd(self._asking)
        if not await self._budget.reserve(reserved, to_nanos(self._rules.max_usd), at):
            return False
        purse = Purse()
        try:
            opinion = await hearing.hold(self._asking, purse)
        except NoAnswer as error:
            logger.warning("judging.failed", extra={"judge": hearing.judge, "reason": str(error)})
            self._count(hearing.judge, "failed")
        else:
            self._found(hearing, opinion)
        finally:
            await self._budget.settle(reserved, to_nanos(purse.usd), at)
        return True

    def _found(self, hearing: Hearing, opinion: Opinion | None) -> None:
        self._count(hearing.judge, "garbage" if opinion is None else "judged")
        if opinion is not None:
            self._tell(feedback(opinion, hearing.case.request.decision.id, datetime.now(UTC)))

    def _count(self, judge: str, result: str) -> None:
        self._asking.metrics.judgements.labels(judge, result).inc()
