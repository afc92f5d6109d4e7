"""What a request tells of a promise: whether its answer was worse than the reference's, if anybody knows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.judging.case import answered_by

if TYPE_CHECKING:
    from gateway.events import Feedback
    from gateway.store.base import LoggedEvent


@dataclass(frozen=True, slots=True)
class Observed:
    """1 for an answer that was worse than the reference's, else 0; and the chance that this was to be known."""

    loss: float
    chance: float


def observed(event: LoggedEvent, reference: str) -> Observed | None:
    """Return what is known of an answer; None where it was not held against the reference's.

    The reference's own answer is no worse than itself: that is always known. Of another one only judges tell, who
    compared the two (`judging.mode: pairwise`): of what users find worth telling, nobody knows the chance.
    """
    if event.outcome is None or (served := answered_by(event.outcome)) is None:
        return None
    if served == reference:
        return Observed(0.0, 1.0)
    for one in event.feedback:
        if one.kind == "preference" and {one.model, one.other} == {served, reference} and one.value is not None:
            chance = _sampled(one)
            if chance is not None:
                value = one.value if one.model == served else 1 - one.value
                return Observed(float(value < 0.5), chance)
    return None


def _sampled(feedback: Feedback) -> float | None:
    """Return the probability with which a judge was asked; None where it was none of ours."""
    if not feedback.source.startswith("judge:") or feedback.comment is None:
        return None
    try:
        chance = json.loads(feedback.comment)["sampled"]
    except (ValueError, KeyError, TypeError):
        return None
    return float(chance) if isinstance(chance, int | float) and 0 < chance <= 1 else None
