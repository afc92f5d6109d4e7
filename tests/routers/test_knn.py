import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routers.estimators.knn import KNN
from routers.types import Context
from tests.tables import EAST, NAN, NORTH, WEST, A, B, learned, mean, std, table, towards


def test_takes_the_reward_of_the_nearest():
    """With one neighbour and no shrinkage the estimate is that neighbour's reward."""
    knn = learned(KNN(neighbours=1, shrinkage=0), table([EAST, NORTH], [1.0, 0.25]))

    assert [1.0, 0.25] == [mean(knn, towards(EAST)), mean(knn, towards(NORTH))]


def test_weighs_neighbours_by_cosine():
    """Cosines of 0.8 and 0.6 weigh rewards 1 and 0 as 0.8 to 0.6."""
    knn = learned(KNN(neighbours=2, shrinkage=0), table([EAST, NORTH], [1.0, 0.0]))

    assert pytest.approx(0.8 / 1.4, abs=1e-3) == mean(knn, towards([0.8, 0.6]))


def test_power_sharpens_the_weights():
    """With power 2 the same cosines weigh 0.64 to 0.36."""
    knn = learned(KNN(neighbours=2, shrinkage=0, power=2), table([EAST, NORTH], [1.0, 0.0]))

    assert pytest.approx(0.64, abs=1e-3) == mean(knn, towards([0.8, 0.6]))


def test_shrinks_towards_the_models_mean():
    """One neighbour of reward 1 and a mean of 0.5 counted twice give (1 + 2 * 0.5) / 3."""
    knn = learned(KNN(neighbours=1, shrinkage=2), table([EAST, WEST], [1.0, 0.0]))

    assert pytest.approx(2 / 3) == mean(knn, towards(EAST))


def test_standard_error_counts_neighbours_and_shrinkage():
    """Rewards 1 and 0 at cosine 1, and a model variance of (0.5 + 0.25) / 3 twice, by four observations."""
    knn = learned(KNN(neighbours=2, shrinkage=2), table([EAST, EAST], [1.0, 0.0]))

    variance = (0.25 + 0.25 + 2 * 0.25) / 4
    assert pytest.approx((variance / 4) ** 0.5) == std(knn, towards(EAST))


def test_does_not_count_a_neighbour_behind():
    """A negative cosine weighs nothing, also where power is zero."""
    knn = learned(KNN(neighbours=2, shrinkage=1, power=0), table([EAST, WEST], [1.0, 0.0]))

    assert pytest.approx((1 + 0.5) / 2) == mean(knn, towards(EAST))


def test_neighbour_without_outcome_weighs_nothing_for_that_model():
    """NaN is no observation: b is estimated from the row that has one."""
    knn = learned(KNN(neighbours=2, shrinkage=0), table([EAST, EAST], [[0.0, NAN], [1.0, 0.75]], models="ab"))

    assert [0.5, 0.75] == [mean(knn, towards(EAST), A), mean(knn, towards(EAST), B)]


def test_request_without_embedding_gets_the_models_mean():
    """No neighbours leave the mean, and an error of the model's spread over the shrinkage."""
    knn = learned(KNN(shrinkage=4), table([EAST, WEST], [1.0, 0.5]))

    assert 0.75 == mean(knn, Context("", 1))
    assert pytest.approx(((0.125 + 0.25) / 3 / 4) ** 0.5) == std(knn, Context("", 1))


def test_unknown_model_gets_a_wide_prior():
    """Nothing is known of b: 0.5, give or take 0.5."""
    knn = learned(KNN(), table([EAST], [1.0]))

    assert (0.5, 0.5) == (mean(knn, towards(EAST), B), std(knn, towards(EAST), B))


def test_nothing_learned_gets_a_wide_prior():
    """Before the first outcome every model is unknown."""
    assert (0.5, 0.5) == (mean(KNN(), towards(EAST)), std(KNN(), towards(EAST)))


def test_new_model_becomes_a_column():
    """Rows learned before a model was known have no outcome for it."""
    knn = learned(KNN(neighbours=4, shrinkage=0), table([EAST], [0.25]))
    knn.learn(table([EAST], [1.0], models="b"))

    assert [0.25, 1.0] == [mean(knn, towards(EAST), A), mean(knn, towards(EAST), B)]


def test_drops_the_oldest_rows():
    """Of three rows two are kept, in memory and in the models' means."""
    knn = learned(KNN(max_rows=2), table([EAST, NORTH, WEST], [0.0, 1.0, 0.5]))

    assert 2 == len(knn.state()["rewards"])
    assert 0.75 == mean(knn, Context("", 1))


def test_row_without_embedding_counts_for_the_mean_alone():
    """A row of NaN is nobody's neighbour."""
    knn = learned(KNN(neighbours=2, shrinkage=1, power=0), table([EAST, [NAN, NAN]], [1.0, 0.0]))

    assert 0.5 == mean(knn, Context("", 1))
    assert pytest.approx((1 + 0.5) / 2) == mean(knn, towards(EAST))


def test_support_is_the_mean_cosine():
    """Neighbours at cosines 1 and 0 support an estimate by half."""
    knn = learned(KNN(neighbours=2), table([EAST, NORTH, WEST], [1.0, 1.0, 1.0]))

    assert 0.5 == knn.support(towards(EAST))
    assert knn.support(Context("", 1)) is None


@pytest.mark.parametrize("use", ["predict", "learn"])
def test_refuses_an_embedding_of_another_length(use):
    """Another encoder's embeddings are an error that says so, not a broadcast."""
    knn = learned(KNN(), table([EAST], [1.0]))

    with pytest.raises(ValueError, match=r"has 3 numbers but those learned have 2.*pointsman train"):
        knn.predict([towards([1, 0, 0])], [A]) if use == "predict" else knn.learn(table([[1, 0, 0]], [1.0]))


@pytest.mark.parametrize("wrong", [{"neighbours": 0}, {"max_rows": 0}, {"shrinkage": -1.0}, {"power": -1.0}])
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value}"):
        KNN(**wrong)


@example(rows=[(0.5, 0.0, 0.0)], shrinkage=5e-324, neighbours=1)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=12),
    st.floats(0, 10),
    st.integers(1, 15),
)
def test_estimate_lies_within_the_rewards(rows, shrinkage, neighbours):
    """A mean of rewards is neither above the best nor below the worst of them."""
    knn = learned(KNN(neighbours, shrinkage), table([row[1:] for row in rows], [row[0] for row in rows]))
    rewards = [row[0] for row in rows]

    assert min(rewards) - 1e-6 <= mean(knn, towards(EAST)) <= max(rewards) + 1e-6
    assert 0 <= std(knn, towards(EAST)) <= 0.5 + 1e-6


@pytest.mark.parametrize("gaps", [False, True])
def test_many_rows_are_estimated_as_a_full_search_does(gaps):
    """However neighbours are found, an estimate is the weighted mean of their rewards, drawn to the model's."""
    draw = np.random.default_rng(0)
    vectors = draw.standard_normal((3000, 32)) * 0.8 ** np.arange(32)
    rewards = draw.random((3000, 2)).astype(np.float32)
    if gaps:
        rewards[draw.random(rewards.shape) < 0.5] = NAN
    knn = learned(KNN(), table(vectors, rewards))
    kept = knn.state()["embeddings"].astype(np.float64)

    for request in kept[:20]:
        cosines = kept @ request
        near = np.argsort(-cosines)[:40]
        for column, candidate in enumerate((A, B)):
            known = ~np.isnan(rewards[near, column])
            weights, earned = cosines[near][known], rewards[near, column][known]
            usual = np.nanmean(rewards[:, column], dtype=np.float64)
            expected = (weights @ earned + 5 * usual) / (weights.sum() + 5)
            assert pytest.approx(expected, abs=1e-6) == mean(knn, towards(request), candidate)
