"""Drives plans by hand: a router that expects what it is told, and models that say what a test has them say."""

from __future__ import annotations

from random import Random

from routers.types import Answer, Call, Candidate, Context, Estimate, Finish

SMALL, MEDIUM, LARGE = Candidate("small"), Candidate("medium"), Candidate("large")
POOL = (LARGE, SMALL, MEDIUM)
REWARDS = {"small": 0.5, "medium": 0.7, "large": 0.9}
COSTS = {"small": 0.001, "medium": 0.01, "large": 0.1}
CONTEXT = Context("What is 6 times 7?", 10)


class Told:
    """A router that expects the rewards and costs that it was told, and draws the model that it was told."""

    requires: frozenset[str] = frozenset()

    def __init__(self, drawn="small", rewards=None, costs=None, std=0.0):
        self.drawn, self.std = drawn, std
        self.rewards = REWARDS if rewards is None else rewards
        self.costs = COSTS if costs is None else costs

    def plan(self, context, candidates, rng):
        del context, rng
        models = [one.model for one in candidates]
        if self.drawn not in models:
            return Finish(None, "nobody was told of")
        (answer,) = yield Call(
            candidates=tuple(one for one in candidates if one.model == self.drawn),
            propensities={model: float(model == self.drawn) for model in models},
            why="told",
            estimates={model: Estimate(self.rewards[model], self.std) for model in models if model in self.rewards},
            expected_cost_usd={model: self.costs[model] for model in models if model in self.costs},
        )
        return Finish(answer)

    def learn(self, outcomes):
        raise NotImplementedError

    save = load = learn


class Gated:
    """A gate that gives each answer the chance that it was told for its text, and nothing for any other."""

    requires: frozenset[str] = frozenset()

    def __init__(self, **chances):
        self.asks, self.chances, self.contexts = {"logprobs": True}, chances, []

    def check(self, context, answer, candidates):
        del candidates
        yield from ()
        self.contexts.append(context)
        return self.chances.get(answer.text, 0.0)


def driven(plan, says, pool=POOL, context=CONTEXT, seed=0):
    """Drive a plan; `says` gives the text of an answer, or an answer, to a call and a candidate.

    Return the calls, and how it ended.
    """
    return finished(plan.plan(context, pool, Random(seed)), says)


def finished(steps, says):
    """Drive what yields calls to its end."""
    calls = []
    try:
        call = next(steps)
        while len(calls) < 50:
            calls.append(call)
            call = steps.send([_answer(one, says(call, one)) for one in call.candidates])
    except StopIteration as end:
        return calls, end.value
    raise AssertionError(f"it does not end: {[one.why for one in calls]}")


def _answer(candidate, said):
    if said is None:
        return Answer(candidate, error="timeout")
    return said if isinstance(said, Answer) else Answer(candidate, text=said, finish_reason="stop")


def by_model(**texts):
    """Return what each model says, whatever it is asked; None: it fails."""
    return lambda _, one: texts[one.model]


def asked(calls):
    """Return the models that each call went to."""
    return [tuple(one.model for one in call.candidates) for call in calls]
