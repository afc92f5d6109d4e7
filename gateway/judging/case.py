"""An answer that is to be judged, and who else could have given one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.judging.prompt import readable
from routers.conformal.promising import Promising

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from random import Random

    from gateway.backend import Backend
    from gateway.events import Decision, Outcome
    from gateway.implicit.answer import Gathered
    from gateway.implicit.ear import Overheard
    from routers.types import Candidate


@dataclass(frozen=True, slots=True)
class Case:
    """A request, whose answer is to be judged: `chance` is the probability with which it was drawn."""

    request: Overheard
    model: str
    question: str
    answer: str
    chance: float

    @property
    def forbidden(self) -> frozenset[str]:
        """Return who must not see the request."""
        return self.request.routed.forbidden


def answered_by(outcome: Outcome) -> str | None:
    """Return who gave a complete answer, None where there is none."""
    return outcome.served_by if outcome.error is None else None


def case_of(request: Overheard, answer: Gathered, model: str, chance: float, max_characters: int) -> Case | None:
    """Return what a judge is shown; None where there is more than text, or none, or too much of it.

    Of several choices the first is judged.
    """
    body, choices = request.ask.chat.body, answer.choices()
    if not choices or choices[0].calls or choices[0].other or not choices[0].text.strip():
        return None
    if request.ask.chat.is_longer(2 * max_characters):
        return None
    question, text = readable(body), choices[0].text
    if question is None or len(question) + len(text) > max_characters:
        return None
    return Case(request, model, question, text, chance)


def variance_of(decision: Decision, model: str) -> float:
    """Return the variance of what was expected of a model, 0 where nothing was."""
    estimate = decision.estimates.get(model)
    return estimate.reward_std**2 if estimate else 0.0


def rival_of(case: Case, barred: Collection[str], backends: Mapping[str, Backend], rng: Random) -> Candidate | None:
    """Return who gives the second answer: another model that may answer, drawn as the router would draw it.

    Where the router would take no other, the one of which most is expected; under a promise, the reference. A model
    whose price is unknown is not asked, nor one that is reached by the caller's own authorization.
    """
    rivals = [
        one
        for one in case.request.routed.pool
        if one.model != case.model
        and one.model not in barred
        and one.price is not None
        and not _by_callers(backends, one)
    ]
    if not rivals:
        return None
    router = case.request.routed.route.router
    if isinstance(router, Promising) and case.model != router.reference:
        return next((one for one in rivals if one.model == router.reference), None)
    decision = case.request.decision
    weights = [decision.propensities.get(one.model, 0.0) for one in rivals]
    if any(weights):
        return rng.choices(rivals, weights)[0]
    expected = {model: estimate.reward for model, estimate in decision.estimates.items()}
    return max(rivals, key=lambda one: expected.get(one.model, 0.0))


def _by_callers(backends: Mapping[str, Backend], candidate: Candidate) -> bool:
    endpoints = backends[candidate.model].endpoints
    return any(endpoint.provider.credentials.forwards_callers for endpoint in endpoints)
