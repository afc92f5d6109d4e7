import numpy as np
import pytest

from routers.checks.cases import outcomes
from routers.estimators.constant import Constant
from routers.estimators.ensemble import Ensemble
from routers.estimators.forest import Forest
from routers.estimators.knn import KNN
from routers.estimators.ridge import Ridge
from routers.types import Candidate, Context, Outcomes

POOL = [Candidate("a"), Candidate("b")]


def table(rows=200, seed=0):
    """Return outcomes in which a is the better the more the embedding points east; b the other way."""
    generator = np.random.default_rng(seed)
    embeddings = generator.standard_normal((rows, 6)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    east = 0.5 + 0.4 * embeddings[:, :1]
    rewards = np.clip(np.hstack([east, 1 - east]) + 0.05 * generator.standard_normal((rows, 2)), 0, 1)
    gap = np.full((rows, 2), np.nan, np.float32)
    return Outcomes(("a", "b"), embeddings, rewards.astype(np.float32), gap, gap)


def error(estimator, seed=1):
    """Return the mean squared error on rows that it has not seen."""
    new = table(seed=seed)
    return float(((estimator.predict(new.contexts(), POOL).mean - new.rewards) ** 2).mean())


def learned(*members, **options):
    """Return an ensemble that learned the table."""
    ensemble = Ensemble(list(members), **options)
    ensemble.learn(table())
    return ensemble


def test_is_about_as_good_as_the_best_member():
    """A ridge fits what is linear, the constant nothing."""
    best = Ridge()
    best.learn(table())

    assert error(learned(Constant(), Ridge(), KNN(neighbours=1))) < 1.1 * error(best)


def test_learning_by_heart_earns_no_weight():
    """The one neighbour of a row that was learned is the row itself; of a row unseen, another, and rewards are noise."""
    noise = table()
    noise.rewards[:] = np.random.default_rng(5).random((200, 2)) < 0.5
    ensemble = Ensemble([KNN(neighbours=1, shrinkage=0.0)])
    ensemble.learn(noise)
    means = ensemble.predict(noise.contexts(), POOL).mean

    assert np.allclose(noise.rewards.mean(axis=0), means, atol=0.1)


def test_later_outcomes_are_predicted_before_they_are_learned():
    """A member that was right at first and is wrong later loses its weight."""
    ensemble = learned(Ridge())
    before = ensemble._weighed.weights[0]
    turned = table(2000, seed=3)
    turned.rewards[:] = turned.rewards[:, ::-1]
    ensemble.learn(turned)

    assert before > 0.9
    assert ensemble._weighed.weights[0] == pytest.approx(0, abs=0.01)


def test_few_rows_leave_the_means():
    """There is not enough to prove anything with."""
    ensemble = Ensemble([Ridge()])
    few = table(10)
    ensemble.learn(few)

    assert np.allclose(few.rewards.mean(axis=0), ensemble.predict(few.contexts(), POOL).mean)


def test_disagreement_makes_it_unsure():
    """Where members differ the standard error is wider than that of either."""
    members = KNN(neighbours=5), Ridge()
    ensemble = learned(*members)
    context = [Context("", 1, embedding=np.eye(6, dtype=np.float32)[0])]
    one, other = (member.predict(context, POOL) for member in members)

    assert np.abs(one.mean - other.mean).max() > 0.02
    assert ensemble.predict(context, POOL).std[0, 0] > min(one.std[0, 0], other.std[0, 0])


def test_cheaper_way_to_cross_predict_is_taken():
    """A forest says what it would without a row; the result is an ensemble as any other."""
    assert error(learned(Forest(trees=30, leaf=5), Constant())) < 0.5 * error(learned(Constant()))


def test_a_model_that_joins_later_is_estimated():
    """By the weights that were found for the others."""
    ensemble = learned(Ridge())
    joined = table(seed=4)
    gap = np.full((200, 1), np.nan, np.float32)
    ensemble.learn(Outcomes(("c",), joined.embeddings, joined.rewards[:, :1], gap, gap))
    east, west = (Context("", 1, embedding=sign * np.eye(6, dtype=np.float32)[0]) for sign in (1, -1))
    mean = ensemble.predict([east, west], [Candidate("c")]).mean[:, 0]

    assert mean[0] - mean[1] > 0.4


def test_order_of_members_makes_no_difference():
    """Weights follow the members."""
    one, other = learned(KNN(), Ridge()), learned(Ridge(), KNN())
    contexts = table(20, seed=2).contexts()

    assert np.allclose(one.predict(contexts, POOL).mean, other.predict(contexts, POOL).mean, atol=1e-5)


@pytest.mark.parametrize(
    ("members", "options", "message"),
    [([], {}, "at least one estimator"), ([Constant()], {"folds": 1}, "folds=1 must be at least 2")],
)
def test_refuses_options_without_a_meaning(members, options, message):
    """With the option's name and value."""
    with pytest.raises(ValueError, match=message):
        Ensemble(members, **options)


def test_nothing_learned_is_nothing_known():
    """An empty batch changes nothing."""
    ensemble = Ensemble([Constant()])
    ensemble.learn(outcomes(0))

    assert [[0.5, 0.5]] == ensemble.predict([Context("", 1)], POOL).mean.tolist()


@pytest.mark.parametrize("tables", [1, 2])
def test_a_table_without_rewards_proves_nothing(tables):
    """Nobody is weighed by it, and what comes after is weighed as if it had never been."""
    without, ensemble = table(), Ensemble([Ridge(), KNN()])
    without.rewards[:] = np.nan
    for _ in range(tables):
        ensemble.learn(without)
    before = ensemble.predict(table().contexts()[:2], POOL)
    ensemble.learn(table())

    assert (np.full((2, 2), 0.5) == before.mean).all()
    assert np.array_equal(learned(Ridge(), KNN()).state()["weights"], ensemble.state()["weights"])


def test_a_table_without_rewards_leaves_the_weights():
    """After one that had some."""
    without, ensemble = table(), learned(Ridge(), KNN())
    without.rewards[:] = np.nan
    weights = ensemble.state()["weights"]

    ensemble.learn(without)

    assert np.array_equal(weights, ensemble.state()["weights"])
