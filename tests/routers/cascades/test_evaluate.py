from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.cascades.evaluate import climb, expected_gains, route, single
from routers.cascades.scene import Scene
from routers.drive import drive
from routers.gain import expected_gain
from routers.plans.cascade import Cascade
from routers.plans.cascade_routing import CascadeRouting
from routers.types import Answer, Call, Candidate, Context, Estimate, Finish

MODELS = ("a", "b", "c", "d")
POOL = [Candidate(model) for model in MODELS]


def scene_of(seed, n=12, share=0.0):
    """Return a scene in which no two numbers are equal."""
    rng = np.random.default_rng(seed)
    rewards, costs, means, deviations, expected, chances = rng.random((6, n, len(MODELS)))
    return Scene(MODELS, rewards, costs, means, 0.3 * deviations, 0.2 * expected, chances, share)


class Scripted:
    """A router that starts with whom it is told to, and expects what a scene says."""

    requires = frozenset()

    def __init__(self, scene, start):
        self.scene, self.start = scene, start

    def plan(self, context, candidates, rng):
        del candidates, rng
        row = context.prompt_tokens
        (answer,) = yield Call(
            candidates=(POOL[self.start[row]],),
            propensities=dict.fromkeys(MODELS, 1 / len(MODELS)),
            why="told to",
            estimates={
                m: Estimate(*pair)
                for m, *pair in zip(MODELS, self.scene.means[row], self.scene.deviations[row], strict=True)
            },
            expected_cost_usd=dict(zip(MODELS, self.scene.expected_usd[row], strict=True)),
        )
        return Finish(answer)


class Knowing:
    """A gate that gives the chances of a scene."""

    requires, asks = frozenset(), {}

    def __init__(self, scene):
        self.scene = scene

    def check(self, context, answer, candidates):
        del candidates
        yield from ()
        return float(self.scene.chances[context.prompt_tokens, MODELS.index(answer.candidate.model)])


def driven(plan, scene):
    """Return rewards and costs of a plan, one request at a time; all answers but streamed ones are checked."""
    quality, cost = [], []
    for row in range(scene.n):
        calls, finish = drive(plan.plan(Context("", row), POOL, Random(0)), Answer)
        quality.append(scene.rewards[row, MODELS.index(finish.answer.candidate.model)])
        paid = [
            scene.costs_usd[row, MODELS.index(call.candidates[0].model)] * (1 if call.stream else 1 + scene.check_share)
            for call in calls
        ]
        cost.append(sum(paid))
    return quality, cost


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    thresholds=st.lists(st.floats(0, 1), min_size=1, max_size=3),
    max_steps=st.integers(1, 5),
    gain=st.sampled_from([-1.0, 0.0, 0.2]),
)
def test_climbing_is_what_the_cascade_does(seed, thresholds, max_steps, gain):
    """All requests at once come out as one by one."""
    scene = scene_of(seed, share=0.25)
    start = np.random.default_rng(seed).integers(0, len(MODELS), scene.n)
    quality, cost = driven(Cascade(Knowing(scene), Scripted(scene, start), thresholds, max_steps, gain), scene)
    played = climb(scene, start, thresholds, max_steps, gain)

    assert quality == played.quality.tolist()
    assert pytest.approx(cost) == played.cost_usd.tolist()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), value=st.floats(0, 2), max_steps=st.integers(1, 5))
def test_routing_is_what_cascade_routing_does(seed, value, max_steps):
    """All requests at once come out as one by one."""
    scene = scene_of(seed, share=0.25)
    start = np.random.default_rng(seed).integers(0, len(MODELS), scene.n)
    quality, cost = driven(CascadeRouting(Knowing(scene), Scripted(scene, start), value, max_steps), scene)
    played = route(scene, start, value, max_steps)

    assert quality == played.quality.tolist()
    assert pytest.approx(cost) == played.cost_usd.tolist()


def test_a_single_call_costs_what_it_costs():
    """Nothing is checked."""
    scene = scene_of(0, share=0.5)
    played = single(scene, np.zeros(scene.n, np.intp))

    assert scene.rewards[:, 0].tolist() == played.quality.tolist()
    assert scene.costs_usd[:, 0].tolist() == played.cost_usd.tolist()


@given(st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.4]), st.floats(0, 1))
def test_expected_gains_are_those_of_one(mean, std, at_hand):
    """Arrays and numbers agree."""
    (gain,) = expected_gains(np.array([mean]), np.array([std]), np.array([at_hand]))

    assert pytest.approx(expected_gain(mean, std, at_hand), abs=1e-12) == gain


def test_a_scene_of_some_models_keeps_their_columns():
    """In the order given."""
    part = scene_of(0).of_models(["c", "a"])

    assert ("c", "a") == part.models
    assert scene_of(0).rewards[:, [2, 0]].tolist() == part.rewards.tolist()
