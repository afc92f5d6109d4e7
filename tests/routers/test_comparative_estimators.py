"""What is expected of every estimator that learns from models compared with each other on the same requests."""

from functools import partial

import numpy as np
import pytest

from routers.checks.estimator import check_estimator
from routers.estimators.contrastive import Contrastive
from routers.estimators.matrix_factorization import MatrixFactorization
from routers.estimators.similarity_bradley_terry import SimilarityBradleyTerry
from routers.types import Context
from tests.tables import CENTRE, EAST, NAN, NORTH, WEST, A, B, C, learned, mean, specialists, std, table, towards

#: Small ones that learn fast.
CONTRASTIVE = partial(Contrastive, dimension=4, epochs=20, learning_rate=0.02, clusters=2)
FACTORS = partial(MatrixFactorization, dimension=4, epochs=10, learning_rate=0.02)
RATINGS = partial(SimilarityBradleyTerry, neighbours=50)


@pytest.fixture(params=[CONTRASTIVE, FACTORS, RATINGS], ids=lambda make: make.func.__name__)
def make(request):
    """Return what makes an estimator of one kind; its options may be given."""
    return request.param


def test_does_what_every_estimator_must(make):
    """The battery."""
    check_estimator(lambda: make(max_rows=100))


def test_recovers_who_is_good_at_what(make):
    """Each where it is good is near 0.9, where it is bad near 0.1, and the third in between."""
    estimator = learned(make(), specialists())

    expected = [[0.9, 0.1, 0.5], [0.1, 0.9, 0.5]]
    assert (
        pytest.approx(np.array(expected), abs=0.06)
        == estimator.predict([towards(EAST), towards(NORTH)], [A, B, C]).mean
    )


def test_gaps_do_not_count(make):
    """With a third of the rewards missing the same is recovered."""
    rows = specialists(300)
    rows.rewards[np.random.default_rng(0).random(rows.rewards.shape) < 0.33] = NAN
    estimator = learned(make(), rows)

    assert mean(estimator, towards(EAST), A) > 0.75
    assert mean(estimator, towards(EAST), B) < 0.25


def test_is_surer_with_more_rows(make):
    """Eight times the rows, less error."""
    few, many = learned(make(), specialists(40)), learned(make(), specialists(320))

    assert std(many, towards(EAST)) < std(few, towards(EAST)) < 0.5


def test_is_surer_of_the_model_observed_more_often(make):
    """Of b a tenth as much was observed."""
    rows = specialists(200)
    rows.rewards[20:, 1] = NAN
    estimator = learned(make(), rows)

    assert std(estimator, towards(EAST), A) < std(estimator, towards(EAST), B)


@pytest.mark.parametrize(
    "rewards",
    [
        [[0.5, 0.5]] * 20,
        [[1.0, 1.0]] * 20,
        [[0.0, 0.0]] * 20,
        [[1.0, NAN]] * 20,
        [[NAN, NAN]] * 20,
        [[1.0, 0.0]],
        [[NAN, 1.0]],
    ],
)
def test_stays_between_zero_and_one(make, rewards):
    """Ties everywhere, one model alone, nothing observed, a single row."""
    estimator = learned(make(), table([EAST] * len(rewards), rewards))
    estimates = estimator.predict([towards(NORTH), towards(EAST), Context("", 1)], [A, B, C])

    assert ((estimates.mean >= 0) & (estimates.mean <= 1)).all()
    assert ((estimates.std >= 0) & (estimates.std <= 0.5)).all()


def test_ties_everywhere_give_the_mean(make):
    """Where nobody is better than anybody, about the mean reward."""
    estimator = learned(make(), table([EAST, NORTH] * 50, [[0.7, 0.7]] * 100))

    assert pytest.approx(0.7, abs=0.01) == mean(estimator, towards(EAST))


def test_rows_without_embeddings_count_for_the_mean_alone(make):
    """Zeros and NaN are no direction: the mean is all there is."""
    estimator = learned(make(), table([[0, 0], [NAN, NAN]] * 5, [[1.0, 0.0], [0.5, 0.0]] * 5))

    assert 0.75 == mean(estimator, towards(EAST)) == mean(estimator, Context("", 1))


def test_request_without_embedding_gets_the_models_mean(make):
    """And the standard error of that mean."""
    estimator = learned(make(), specialists())

    assert pytest.approx(0.5) == mean(estimator, Context("", 1))
    assert pytest.approx(((200 * 0.16 + 0.25) / 201 / 200) ** 0.5) == std(estimator, Context("", 1))


def test_unknown_model_gets_a_wide_prior(make):
    """Nothing is known of c: 0.5, give or take 0.5."""
    estimator = learned(make(), table([EAST, NORTH], [[1.0, 0.0], [0.0, 1.0]]))

    assert (0.5, 0.5) == (mean(estimator, towards(EAST), C), std(estimator, towards(EAST), C))


def test_new_model_becomes_a_column(make):
    """A model that arrives later is estimated from what came with it."""
    later = table([EAST, NORTH] * 50, [[0.9, 0.1], [0.1, 0.9]] * 50, models="cb")
    estimator = learned(make(), table([EAST, NORTH] * 50, [[0.5, 0.1], [0.5, 0.9]] * 50), later)

    assert mean(estimator, towards(EAST), C) > 0.6
    assert mean(estimator, towards(NORTH), C) < 0.4


@pytest.mark.parametrize("use", ["predict", "learn"])
def test_refuses_an_embedding_of_another_length(make, use):
    """Another encoder's embeddings are an error that says so, not a broadcast."""
    estimator = learned(make(), specialists())

    with pytest.raises(ValueError, match=r"has 3 numbers but those learned have 2.*pointsman train"):
        mean(estimator, towards([1, 0, 0])) if use == "predict" else estimator.learn(table([[1, 0, 0]], [[1.0, 0.0]]))


@pytest.mark.parametrize("make", [CONTRASTIVE, FACTORS], ids=lambda make: make.func.__name__)
def test_other_seeds_draw_otherwise(make):
    """And the same seed draws the same."""
    one, same, other = (mean(learned(make(seed=seed), specialists()), towards(EAST)) for seed in (0, 0, 1))

    assert one == same != other


#: What may be learned, by what is odd about it; model a comes first.
ODD = {
    "one model without embeddings": table(
        [CENTRE] * 50 + [EAST, NORTH] * 50, [[0.1, NAN, NAN]] * 50 + [[NAN, 0.9, 0.2], [NAN, 0.4, 0.8]] * 50
    ),
    "no two models on one request": table([EAST, NORTH, WEST] * 20, [[0.2, NAN], [NAN, 0.7], [NAN, 0.9]] * 20),
    "always the same": table([EAST, NORTH] * 20, [[1.0, 1.0]] * 40),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_is_restored_to_the_last_bit(make, odd):
    """Whoever was compared with others, and whoever has a mean alone, has it afterwards too."""
    estimator, restored = learned(make(), odd), make()
    restored.restore(estimator.state())

    before, after = (each.predict([towards(EAST), Context("", 1)], [A, B, C]) for each in (estimator, restored))

    assert before.mean.tobytes() == after.mean.tobytes()
    assert before.std.tobytes() == after.std.tobytes()


@pytest.mark.parametrize("make", [CONTRASTIVE, FACTORS], ids=["contrastive", "factors"])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_means_are_of_their_models_where_the_state_does_not_say_whose(make, odd):
    """State once had moments without names: what was learned is there, and says it."""
    estimator, restored = learned(make(), odd), make()
    restored.restore({name: array for name, array in estimator.state().items() if name != "readout.averaged"})

    before, after = (each.predict([towards(EAST), Context("", 1)], [A, B, C]) for each in (estimator, restored))

    assert pytest.approx(before.mean) == after.mean
    assert pytest.approx(before.std) == after.std
