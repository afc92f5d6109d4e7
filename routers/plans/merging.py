"""One answer made of several."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from routers.answers.agreement import ballots
from routers.plans.around import asking
from routers.plans.quoting import mark_of, merging
from routers.types import Finish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from routers.types import Answer, Call, Candidate, Estimate, Plan

Merge = Literal["vote", "weighted", "llm"]

#: An expected reward is taken to be no nearer to 0 or 1: nobody's vote counts for all.
LEAST: Final = 0.02


def merged(drawn: Call, answers: Sequence[Answer], merge: Merge, merger: Candidate, rng: Random) -> Plan:
    """Return one answer made of several: that of the heaviest ballot, or what a model writes from all.

    Where all agree, nobody is asked to merge.
    """
    weights = [weight_of(drawn.estimates, answer) if merge == "weighted" else 1.0 for answer in answers]
    votes = ballots(answers, weights)
    if not votes:
        return Finish(answers[0])
    if merge != "llm" or len(votes) == 1:
        return Finish(_best(votes[0].answers, drawn.estimates))
    turns = merging(answers, mark_of(rng))
    (answer,) = yield replace(asking(drawn, merger, why="merge", stream=True), turns=turns)
    return Finish(answer if answer.error is None else _best(votes[0].answers, drawn.estimates))


def weight_of(estimates: Mapping[str, Estimate], answer: Answer) -> float:
    """Return the log odds that a model is right, which weigh its vote; 1 where nothing is expected of it.

    Nitzan and Paroush (1982): with independent voters, these weights make the majority right most often. Who is
    expected to be wrong more often than not has no vote, rather than one against what he says.
    """
    expected = estimates.get(answer.candidate.model)
    if expected is None:
        return 1.0
    chance = min(max(expected.mean, LEAST), 1 - LEAST)
    return max(math.log(chance / (1 - chance)), LEAST)


def _best(answers: Sequence[Answer], estimates: Mapping[str, Estimate]) -> Answer:
    """Return, of answers that come to the same, that of the model of which most is expected."""

    def expected(answer: Answer) -> float:
        estimate = estimates.get(answer.candidate.model)
        return estimate.mean if estimate else 0.0

    return max(answers, key=expected)
