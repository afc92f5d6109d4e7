"""Asks gates by hand about an answer, with models that say what a test has them say."""

from __future__ import annotations

from routers.types import Answer, Candidate, Context
from tests.routers.plans.driving import finished

SMALL, LARGE = Candidate("small"), Candidate("large")
POOL = (SMALL, LARGE)


def told(text="42", **more):
    return Answer(SMALL, text=text, **{"finish_reason": "stop"} | more)


def checked(gate, answer=None, *said, **features):
    """Return the calls of a gate, and the chance that it gives an answer; `said` are texts, or None for a failure."""
    context = Context("What is 6 times 7?", 10, features=features)
    left = iter(said)
    return finished(gate.check(context, answer or told(), POOL), lambda *_: next(left))


def chance(gate, answer=None, *said, **features):
    return checked(gate, answer, *said, **features)[1]
