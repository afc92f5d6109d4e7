from dataclasses import replace
from random import Random

import numpy as np
import pytest

from routers.preference_bandit import PreferenceBandit
from routers.types import Candidate, Context, Outcomes
from tests.routers.playground import observed

POOL = [Candidate("good"), Candidate("cheap")]
UNIT = np.array([1, 0], np.float32)


def chance(router, dial):
    """Return how likely the good model is at a dial."""
    call = next(router.with_quality_weight(dial).plan(Context("r", 1, UNIT), POOL, Random(0)))
    return call.propensities["good"]


def taught(rewards, costs, **options):
    bandit = PreferenceBandit(hidden=16, learning_rate=0.01, floor=0.0, **options)
    rewards, costs = (np.array(values * 400, np.float32) for values in (rewards, costs))
    gap = np.full_like(rewards, np.nan)
    bandit.learn(Outcomes(("good", "cheap"), np.tile(UNIT, (len(rewards), 1)), rewards, costs, gap))
    return bandit


def test_one_policy_serves_every_dial():
    """The good model where quality counts, the cheap one where money does."""
    bandit = taught([[0.9, 0.4]], [[0.01, 0.001]])

    assert chance(bandit, 1.0) > 0.8
    assert chance(bandit, 0.0) < 0.2


def test_entropy_keeps_it_open():
    """The more staying open is worth, the less sure it gets."""
    closed, opened = (taught([[0.9, 0.4]], [[0.01, 0.01]], entropy=entropy) for entropy in (0.0, 0.5))

    assert 0.5 < chance(opened, 1.0) < chance(closed, 1.0)


@pytest.mark.parametrize("propensity", [0.9, 0.1])
def test_a_log_teaches_whatever_chose(propensity):
    """Seldom or often asked, the model that earns more becomes likelier."""
    bandit = PreferenceBandit(hidden=16, learning_rate=0.01, floor=0.0)
    rows = []
    for n in range(1000):
        good = n % 10 < 10 * propensity
        model = "good" if good else "cheap"
        rows.append(
            (Context("r", 1, UNIT), model, 0.9 if good else 0.4, propensity if good else 1 - propensity, float(n))
        )
    for _ in range(5):
        bandit.observe(observed(rows))

    assert chance(bandit, 1.0) > 0.7


def test_a_table_of_a_log_teaches_by_the_logged_propensities():
    """Whoever chose asked for the worse model on one side and for the better on the other: neither side shows."""
    rng, n = np.random.default_rng(0), 2000
    left = rng.random(n) < 0.5
    worse = np.where(left, 0.95, 0.05)
    asked = rng.random(n) < worse
    rewards = np.full((n, 2), np.nan, np.float32)
    rewards[np.arange(n), asked.astype(int)] = rng.random(n) < np.where(asked, 0.55, 0.7)
    gap = np.full((n, 2), np.nan, np.float32)
    sides = np.eye(2, dtype=np.float32)
    log = Outcomes(("good", "bad"), sides[left.astype(int)], rewards, gap, gap)
    pool, chances = [Candidate("good"), Candidate("bad")], []
    for propensities in (np.where(asked, worse, 1 - worse), None):
        bandit = PreferenceBandit(floor=0.0, quality_weight=1.0, epochs=20)
        bandit.learn(replace(log, propensities=propensities))
        plans = [bandit.plan(Context("r", 1, side), pool, Random(0)) for side in sides]
        chances.append(min(next(plan).propensities["good"] for plan in plans))

    assert chances[0] > 0.9
    assert chances[0] > chances[1]


def test_nothing_to_learn_from_changes_nothing():
    """An empty log, or one without embeddings."""
    bandit = PreferenceBandit()
    bandit.observe(observed([]))
    bandit.observe(observed([(Context("r", 1), "good", 1.0, 0.5, 0.0)]))

    assert 0.5 == chance(bandit, 0.7)
