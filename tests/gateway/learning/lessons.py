"""What a learner reads, and what it learns for, in tests."""

from __future__ import annotations

from pathlib import Path

from gateway.config.files import WrittenRouter
from gateway.config.learning_models import PolicyLearningConfig
from gateway.config.loader import Document
from gateway.learning.book import Book
from gateway.learning.counting import Pupil
from gateway.learning.learner import Learner
from gateway.learning.rewards import RewardRules
from gateway.learning.subjects import Rules, Subject
from gateway.learning.trust import TrustRules
from gateway.store.samples import build_decision, build_feedback, build_outcome
from routers.registry import build_router

#: A caller may give two ratings, or three tenths of what is said of a model.
RULES = Rules(RewardRules(), TrustRules(share=0.3, allowance=2.0))
SPEC = {"type": "ema", "feature": "domain"}


def decision(number, **changes):
    """Return a decision of the policy `auto`, where no rule matched."""
    return build_decision(number, **{"rule": None, "features": {"domain": "code", "prompt_tokens": 3.0}, **changes})


def outcome(number, model="small", **changes):
    """Return the outcome: a model answered well."""
    return build_outcome(number, served_by=model, **changes)


def rating(feedback_id, number, value=1.0, caller="", **changes):
    """Return a rating of a decision's answer."""
    given = {"kind": "score", "value": value, "caller": caller, "source": "user", "model": None, "other": None}
    return build_feedback(feedback_id, number, **{**given, **changes})


def subject(name="auto", digest="d", ways=(("auto", None),), **settings):
    """Return what learns online."""
    written = WrittenRouter(name, SPEC, Document(Path("p.yaml"), {}, {}), ("router",), Path("/nowhere"), None)
    return Subject(name, digest, written, PolicyLearningConfig(**settings), online=True, ways=frozenset(ways))


def pupil(name="auto", digest="d", ways=(("auto", None),)):
    """Return what learns online, with its router."""
    return Pupil(subject(name, digest, ways), build_router(SPEC))


def in_memory():
    """Return a book that ends with the test."""
    return Book.open(Path(":memory:"))


def learn_all(log, book, *pupils, limit=1000, rules=RULES):
    """Learn all that is in a log; return the learner."""
    learner = Learner(log, book, pupils or (pupil(),), rules, limit)
    while learner.step():
        pass
    for one in pupils or (pupil(),):
        learner.recap(one.subject.name, learner.progress(one.subject.name).share.masses)
    return learner


def share_of(log, limit=1000, rules=RULES):
    """Return what a new learner learns from a log."""
    book = in_memory()
    try:
        return learn_all(log, book, limit=limit, rules=rules).progress("auto").share
    finally:
        book.close()
