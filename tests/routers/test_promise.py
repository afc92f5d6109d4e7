from dataclasses import replace
from random import Random

import numpy as np
import pytest

from routers.checks import check_router
from routers.checks.cases import contexts, outcomes
from routers.drive import drive
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.estimators.knn import KNN
from routers.promise import Promise
from routers.rules.greedy import Greedy
from routers.types import Answer, Candidate, Outcomes, StateError

SMALL, LARGE = Candidate("small"), Candidate("large")


def promise(reference="large", **options):
    """Return a promise around nearest neighbours that has learned nothing."""
    return Promise(EstimatingRouter(KNN(neighbours=20), Greedy()), reference, **options)


def halves(n=4000, seed=0):
    """Return outcomes where the small model is as good in the east, and wrong in half of the west; it costs a tenth."""
    rng = np.random.default_rng(seed)
    east = rng.random(n) < 0.5
    # A second number that nobody should go by, so that no two requests are the same.
    vectors = np.stack([np.where(east, 1.0, -1.0), 0.3 * rng.standard_normal(n)], axis=1).astype(np.float32)
    right = east | (rng.random(n) < 0.5)
    rewards = np.stack([right, np.ones(n)], axis=1).astype(np.float32)
    costs = np.tile(np.float32([0.1, 1.0]), (n, 1))
    return Outcomes(("small", "large"), vectors, rewards, costs, np.full_like(costs, np.nan))


def asked(router, context, pool=(SMALL, LARGE)):
    """Return the only call for a request."""
    ((call,), _) = drive(router.plan(context, pool, Random(0)), Answer)
    return call


def served(router, table):
    """Return which of the models answers each request, as a column of the table."""
    return np.array([table.models.index(asked(router, one).candidates[0].model) for one in table.contexts()])


@pytest.mark.parametrize("options", [{}, {"alpha": 0.5, "delta": 0.2}])
def test_is_a_router(options):
    """It passes the battery, whether it has rows enough to promise anything or not."""
    check_router(lambda: Promise(EstimatingRouter(KNN(max_rows=100), Greedy()), "large", max_rows=100, **options))


def test_saves_where_nothing_is_lost():
    """The east goes to the small model, nearly all of the west to the reference."""
    router, others = promise(alpha=0.05), halves(600, seed=1)
    router.learn(halves())
    taken = served(router, others)
    east = others.embeddings[:, 0] > 0

    assert (0 == taken[east]).all()
    assert (1 == taken[~east]).mean() > 0.7
    assert (others.rewards[np.arange(600), taken] < 1).mean() <= 0.05


def test_keeps_its_promise_over_many_draws():
    """Of 15 draws of rows, at most a tenth and what luck allows exceeds alpha on as many requests to come."""
    above, rng = 0, np.random.default_rng(0)
    for _ in range(15):
        table = halves(400, seed=int(rng.integers(2**31)))
        others = halves(100, seed=int(rng.integers(2**31)))
        router = promise(alpha=0.1)
        router.learn(table)
        lost = others.rewards[np.arange(100), served(router, others)] < 1
        above += lost.mean() > 0.1

    assert above <= 0.1 * 15 + 3 * np.sqrt(0.09 * 15)


def test_too_few_rows_leave_the_reference():
    """Nothing is promised that is not proved."""
    router = promise(alpha=0.05)
    router.learn(halves(60))

    assert (1 == served(router, halves(50))).all()
    assert "nothing proved" in router.stated


def test_what_was_learned_is_not_certified_on():
    """The two parts have no row in common, whatever the order of the rows."""
    table = halves(200)
    router, reversed_router = promise(), promise()
    router.learn(table)
    reversed_router.learn(table.take(range(199, -1, -1)))

    assert 200 == router.pledge.n + len(router.router.newcomers.estimator.state()["rewards"])
    assert router.pledge.n == reversed_router.pledge.n
    assert 60 < router.pledge.n < 140


def test_another_seed_draws_other_rows():
    """Two proofs of the same table may be had from different rows."""
    one, other = promise(), promise(seed=1)
    one.learn(halves(200))
    other.learn(halves(200))

    assert [row.embedding.tolist() for row in one._rows.contexts] != [
        row.embedding.tolist() for row in other._rows.contexts
    ]


def test_a_model_that_is_no_candidate_leaves_its_requests_to_the_reference():
    """Whoever would have been second was not certified."""
    router = promise(alpha=0.05)
    router.learn(halves())
    east = next(one for one in halves(50).contexts() if one.embedding[0] > 0)

    assert "small" == asked(router, east).candidates[0].model
    assert "large" == asked(router, east, (LARGE, Candidate("new"))).candidates[0].model


def test_without_the_reference_there_is_no_promise():
    """Somebody answers, and the log says that nothing was promised."""
    router = promise(alpha=0.05)
    router.learn(halves())
    call = asked(router, halves(1).contexts()[0], (SMALL,))

    assert "small" == call.candidates[0].model
    assert call.why.startswith("no promise")


def test_rows_without_the_reference_prove_nothing():
    """Who cannot be compared is no proof."""
    table = halves(400)
    gone = table.rewards.copy()
    gone[:, 1] = np.nan
    router = promise()
    router.learn(replace(table, rewards=gone))

    assert router.pledge.setting is None


def test_says_what_it_promises_and_what_that_rests_on():
    """The share, the margin, the confidence, the rows, and the assumption."""
    router = promise(alpha=0.05)
    router.learn(halves())

    assert router.stated.startswith("promise alpha=0.05 delta=0 confidence=0.9 reference=large n=")
    assert router.stated.endswith("if exchangeable")
    assert router.stated == asked(router, halves(1).contexts()[0]).why


def test_stricter_settings_end_with_the_reference():
    """Each step was proved too, and the router itself stays as it was."""
    router = promise(alpha=0.1)
    router.learn(halves())
    before, steps = router.pledge, 0
    while router.pledge.setting is not None:
        lower = router.stricter()
        assert lower.pledge.risk < router.pledge.risk or lower.pledge.setting is None
        router, steps = lower, steps + 1

    assert 0 < steps <= len(before.risks)
    assert (1 == served(router, halves(50))).all()


def test_a_proof_of_one_promise_is_none_of_another(tmp_path):
    """State says what was proved."""
    router = promise(alpha=0.1)
    router.learn(outcomes(100))
    router.save(tmp_path)

    with pytest.raises(StateError, match="pointsman train"):
        promise(alpha=0.05).load(tmp_path)


def test_state_of_another_router_is_named_with_its_folder(tmp_path):
    """The message is about the folder that the user knows."""
    router = Promise(EstimatingRouter(KNN(), Greedy()), "large")
    router.learn(outcomes(20))
    router.save(tmp_path)
    with pytest.raises(StateError, match=str(tmp_path)):
        Promise(EstimatingRouter(Constant(), Greedy()), "large").load(tmp_path)


def test_refuses_an_empty_pool():
    """There is nobody to choose."""
    with pytest.raises(ValueError, match="no candidate"):
        next(promise().plan(contexts(1)[0], [], Random(0)))


@pytest.mark.parametrize(
    "options", [{"alpha": 0}, {"eta": 1}, {"delta": -0.1}, {"share": 1}, {"horizon": 0}, {"max_rows": 0}]
)
def test_refuses_numbers_that_promise_nothing(options):
    """At start-up, not when it is too late."""
    with pytest.raises(ValueError, match="="):
        promise(**options)


def test_names_its_reference():
    """A pool that lacks it is a mistake."""
    assert {"large"} == promise().named
