from random import Random

import numpy as np
import pytest

from routers.recommended import Recommended
from routers.rules.epsilon import Epsilon
from routers.types import Candidate, Outcomes

POOL = [Candidate("small"), Candidate("large")]
SUMS = [f"What is {a} plus {b}?" for a in range(12) for b in range(10)]
PROOFS = [f"Prove that the sum of {a} odd numbers and {b} even ones is odd." for a in range(12) for b in range(10)]


def table():
    """Return a table in which the small model does sums as well as the large one, and no proofs."""
    generator = np.random.default_rng(0)
    texts = tuple(SUMS + PROOFS)
    embeddings = generator.standard_normal((240, 8)).astype(np.float32)
    embeddings[:, 0] += np.repeat([3, -3], 120)
    small = np.repeat([0.9, 0.1], 120) > generator.random(240)
    large = generator.random(240) < 0.9
    rewards = np.stack([small, large], axis=1).astype(np.float32)
    costs = np.tile(np.array([1e-5, 1e-3], np.float32), (240, 1))
    tokens = tuple(len(text) // 4 for text in texts)
    tasks = ("sums",) * 120 + ("proofs",) * 120
    gap = np.full_like(costs, np.nan)
    return Outcomes(("small", "large"), embeddings, rewards, costs, gap, None, texts, tasks, tokens)


@pytest.fixture(scope="module")
def router():
    """Return the router, fitted."""
    recommended = Recommended(quality_weight=0.9)
    recommended.learn(table())
    return recommended


def chosen(router, rows):
    """Return who is chosen for some rows of the table."""
    contexts = table().take(rows).contexts()
    return [next(router.plan(context, POOL, Random(0))).candidates[0].model for context in contexts]


def test_takes_the_cheap_model_where_it_is_as_good(router):
    """And the dear one where it is not."""
    assert {"small"} == set(chosen(router, range(0, 120, 10)))
    assert {"large"} == set(chosen(router, range(120, 240, 10)))


def test_at_any_price_takes_the_model_that_is_best_on_average(router):
    """Where the other's gain is small, if it is one."""
    assert {"large"} == set(chosen(router.with_quality_weight(1.0), range(0, 240, 10)))


def test_saved_and_loaded_decides_alike(router, tmp_path):
    """Estimates and costs are those that were saved."""
    router.save(tmp_path)
    loaded = Recommended(quality_weight=0.9)
    loaded.load(tmp_path)
    context = table().contexts()[7]

    assert next(router.plan(context, POOL, Random(0))) == next(loaded.plan(context, POOL, Random(0)))


def test_explores_only_by_a_rule_that_does():
    """Alone it takes the best for certain."""
    context = table().contexts()[0]
    greedy, epsilon = Recommended(), Recommended(rule=Epsilon(epsilon=0.5))

    assert {0.0, 1.0} == set(next(greedy.plan(context, POOL, Random(0))).propensities.values())
    assert {0.25, 0.75} == set(next(epsilon.plan(context, POOL, Random(0))).propensities.values())
