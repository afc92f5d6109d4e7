import numpy as np
import pytest

from routers.checks.cases import outcomes
from routers.registry import build_router
from routers.types import Candidate, Context

POOL = [Candidate(model) for model in ("large", "medium", "small")]


@pytest.mark.parametrize("estimator", ["bayesian_linear", "neural_linear"])
def test_an_embedding_that_is_not_finite_is_none(estimator):
    """A request with one is expected to earn what a request without one is."""
    router = build_router({"type": "lin_ucb", "estimator": {"type": estimator}})
    router.learn(outcomes(60))
    broken = np.full(outcomes(1).embeddings.shape[1], np.nan, np.float32)
    with_it, without = (router.estimator.predict([Context("r", 10, one)], POOL) for one in (broken, None))

    assert np.isfinite(with_it.mean).all()
    assert without.mean.tolist() == with_it.mean.tolist()
    assert without.std.tolist() == with_it.std.tolist()


@pytest.mark.parametrize("name", ["lin_ucb", "lin_thompson"])
def test_floors_are_slight_and_bounded_together(name):
    """By default a candidate's least probability is 0.001, and that of twenty together 0.0025."""
    router = build_router({"type": name})

    assert pytest.approx(0.001) == router.rule.least(2)
    assert pytest.approx(0.0025) == 20 * router.rule.least(20)


@pytest.mark.parametrize("name", ["lin_ucb", "lin_thompson"])
def test_a_floor_of_ones_own_needs_a_total_of_ones_own(name):
    """The two options bound one another, as those of every rule."""
    router = build_router({"type": name, "floor": 0.02, "total": 0.1})

    assert pytest.approx(0.02) == router.rule.least(5)
    assert pytest.approx(0.005) == router.rule.least(20)
