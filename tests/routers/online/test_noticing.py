"""What an estimator makes of models that change behind their names."""

from __future__ import annotations

from random import Random

import numpy as np

from routers.estimators.bayesian_linear import BayesianLinear
from routers.lin_ucb import LinUcb
from routers.observations import Folding, Observations
from routers.prefilter import prefilter
from routers.sums import Sums
from routers.types import Candidate, Context, Outcomes

POOL = [Candidate("a"), Candidate("b")]
UNKNOWN = np.full(200, np.nan)


def rows(mean, start, model="a", seed=0):
    """Return 200 rewards of a model, ten seconds apart, some good and some not, of requests that differ."""
    rng = np.random.default_rng(seed)
    embeddings = rng.standard_normal((200, 8)).astype(np.float32)
    return Observations(
        contexts=[Context("", 10, one / np.linalg.norm(one)) for one in embeddings],
        actions=[model] * 200,
        rewards=(rng.random(200) < mean).astype(float),
        weights=np.ones(200),
        propensities=np.ones(200),
        costs_usd=UNKNOWN,
        completion_tokens=UNKNOWN,
        latencies_s=UNKNOWN,
        times=start + 10.0 * np.arange(200),
    )


def means(estimator):
    """Return what is expected of a and b, of a request about which nothing is known."""
    return estimator.predict([Context("", 10)], POOL).mean[0].tolist()


def absorbed(*observations, now=4000.0):
    estimator = BayesianLinear()
    total = Sums()
    for one in observations:
        total += estimator.sums(one)
    estimator.absorb(total, now)
    return estimator


def test_a_change_is_noticed_and_the_past_forgotten():
    """What is expected of the model is what it earns now; what is known of the other stays."""
    before, after, other = rows(0.9, 0), rows(0.2, 2000, seed=1), rows(0.7, 0, "b", 2)
    changed, alike = absorbed(before, after, other), absorbed(before, other)
    a, b = means(changed)

    assert abs(a - 0.2) < 0.15
    assert abs(b - means(alike)[1]) < 0.1


def test_what_does_not_change_counts_whole():
    """All the four hundred rewards of a model that stays what it is."""
    apart, once = absorbed(rows(0.6, 0), rows(0.6, 2000, seed=1)), absorbed(rows(0.6, 0), rows(0.6, 0, seed=1))

    assert np.allclose(means(apart), means(once), atol=0.005)


def test_a_table_that_is_no_longer_true_is_forgotten():
    """A model that was good in the table and is not now; saved and loaded, it is not remembered again."""
    told = rows(0.95, 0, seed=3)
    gap = np.full((200, 1), np.nan, np.float32)
    embeddings = np.stack([one.embedding for one in told.contexts])
    estimator = BayesianLinear()
    rewards = told.rewards[:, None].astype(np.float32)
    estimator.learn(Outcomes(("a",), embeddings, rewards, gap, gap, prompt_tokens=(10,) * 200))
    estimator.absorb(estimator.sums(rows(0.2, 0)), 2000.0)
    other = BayesianLinear()
    other.restore(estimator.state())

    assert abs(means(estimator)[0] - 0.2) < 0.15
    assert means(estimator) == means(other)


def test_what_is_folded_says_the_same():
    """To the router as to its estimator, and behind a prefilter."""
    seen = rows(0.8, 0)
    for router in (LinUcb(), prefilter(LinUcb())):
        assert isinstance(router, Folding)
        sums = router.sums(seen)
        folded = router.folded(sums, 1e6)
        assert len(folded.parts) < len(sums.parts)
        found = []
        for each in (sums, folded):
            router.absorb(each, 1e6)
            found.append(next(router.plan(seen.contexts[0], POOL, Random(0))).estimates)
        assert found[0] == found[1]
