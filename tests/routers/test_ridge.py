import numpy as np
import pytest

from routers.checks import check_estimator
from routers.estimators.ridge import ALPHAS, Ridge, fit_lines
from routers.rows import Rows
from routers.types import Candidate, Context
from tests.tables import CENTRE, EAST, NAN, NORTH, WEST, A, B, learned, mean, std, table, towards


def planted(n, length, models, seed=0):
    """Outcomes, right or wrong, of which the chance is linear in the embedding; and the chances."""
    rng = np.random.default_rng(seed)
    slopes = np.random.default_rng(99).uniform(-0.8, 0.8, (length, models)) / length**0.5
    points = rng.standard_normal((n, length))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    chances = 0.5 + points @ slopes
    return table(points, rng.random((n, models)) < chances), chances


def test_passes_the_battery():
    """What every estimator must do."""
    check_estimator(lambda: Ridge(max_rows=100))
    check_estimator(lambda: Ridge(alpha=1.0, max_rows=100))


def test_mean_by_hand():
    """The slope of rewards 1 and 0 at 1 and -1 is (0.5 + 0.5) / (2 + alpha)."""
    ridge = learned(Ridge(alpha=1), table([EAST, WEST], [1.0, 0.0]))

    assert pytest.approx([5 / 6, 0.5, 1 / 6]) == [mean(ridge, towards(d)) for d in (EAST, NORTH, WEST)]


def test_standard_error_by_hand():
    """The slope is 40 / (80 + 20), a row's leverage 1/80 + 1/100; along what was never observed only the penalty holds."""
    ridge = learned(Ridge(alpha=20), table([EAST, WEST] * 40, [1.0, 0.0] * 40))

    residual = (1 - 0.9) / (1 - (1 / 80 + 1 / 100))
    variance = (80 * residual**2 + 0.25) / 81
    assert pytest.approx((variance / 80) ** 0.5) == std(ridge, towards(CENTRE))
    assert pytest.approx((variance * (1 / 80 + 1 / 100)) ** 0.5) == std(ridge, towards(EAST))
    assert pytest.approx((variance * (1 / 80 + 1 / 20)) ** 0.5) == std(ridge, towards(NORTH))


def test_standard_error_of_equal_rewards_by_hand():
    """Nothing is left out in vain: the variance is that of one imagined observation, 0.25 / 5."""
    ridge = learned(Ridge(alpha=2), table([EAST, WEST] * 2, [1.0] * 4))

    assert pytest.approx((0.05 * (1 / 4 + 1 / 6)) ** 0.5) == std(ridge, towards(EAST))
    assert 1.0 == mean(ridge, towards(EAST))


def test_residuals_are_those_of_rows_left_out():
    """Fitting without each row in turn gives the same noise."""
    outcomes, _ = planted(12, 3, 1)
    rewards = outcomes.rewards[:, 0]

    missed = []
    for row in range(12):
        ridge = Ridge(alpha=0.7)
        ridge.learn(outcomes.take([i for i in range(12) if i != row]))
        line = ridge.state()
        point = Rows.empty().append(outcomes, 12).embeddings[row]
        missed.append(rewards[row] - line["coefficients"][0] @ point - line["intercepts"][0])

    whole = Ridge(alpha=0.7)
    whole.learn(outcomes)
    assert pytest.approx((sum(np.square(missed)) + 0.25) / 13) == float(whole.state()["variances"][0])


def test_intercept_is_not_penalised():
    """However great the penalty, the mean remains."""
    ridge = learned(Ridge(alpha=1e9), table([EAST, EAST, WEST], [1.0, 1.0, 0.25]))

    assert pytest.approx(0.75, abs=1e-6) == mean(ridge, towards(WEST))


def test_finds_a_planted_line():
    """Most of what the chances differ by is recovered, and two standard errors cover nearly all of the rest."""
    outcomes, _ = planted(800, 8, 3)
    asked, chances = planted(300, 8, 3, seed=1)
    ridge = Ridge()
    ridge.learn(outcomes)

    estimates = ridge.predict(asked.contexts(), [Candidate(model) for model in asked.models])

    errors = estimates.mean - chances
    assert np.square(errors).mean() < 0.25 * chances.var(axis=0).mean()
    assert 0.85 < (np.abs(errors) < 2 * estimates.std).mean() <= 1


def test_chooses_a_great_penalty_for_noise():
    """Rewards that have nothing to do with the embedding are smoothed to the mean; a plain line is not."""
    rng = np.random.default_rng(3)
    points = rng.standard_normal((300, 20))
    noise, plain = rng.random(300) < 0.5, points[:, 0] > 0
    of_noise, of_line = (learned(Ridge(), table(points, rewards)).state()["alphas"][0] for rewards in (noise, plain))

    assert of_line < 0.5 * of_noise
    assert {of_line, of_noise} <= set(ALPHAS)


def test_penalty_is_for_the_differences_between_models():
    """What is easy to predict of both alike does not make the penalty small where their difference is noise."""
    rng = np.random.default_rng(4)
    points = rng.standard_normal((300, 20))
    difficulty = 0.5 + 0.3 * np.sign(points[:, :1])
    alike = difficulty + 0.2 * (rng.random((300, 2)) - 0.5)
    rows = Rows.empty().append(table(points, alike), 300)
    alone = Rows.empty().append(table(points, alike[:, 0]), 300)

    assert fit_lines(alone, ALPHAS).alphas[0] < fit_lines(rows, ALPHAS).alphas[0]


def test_models_are_fitted_to_their_own_rows():
    """With a gap, b's line is what it would be if a had never been observed."""
    both = learned(Ridge(1), table([EAST, NORTH, WEST], [[1.0, 0.5], [0.5, NAN], [0.0, 0.0]]))
    alone = learned(Ridge(1), table([EAST, WEST], [0.5, 0.0], models="b"))

    assert pytest.approx(mean(alone, towards(EAST), B)) == mean(both, towards(EAST), B)
    assert pytest.approx(std(alone, towards(EAST), B)) == std(both, towards(EAST), B)


def test_error_grows_away_from_the_rows_and_shrinks_with_more():
    """Least at the rows' centre; less with ten times the rows."""
    few, many = (learned(Ridge(1), table([EAST, NORTH] * n, [1.0, 0.0, 0.0, 1.0] * (n // 2))) for n in (4, 40))

    assert std(few, towards([0.7, 0.7])) < std(few, towards(EAST)) < std(few, towards(WEST))
    assert std(many, towards(EAST)) < std(few, towards(EAST))


def test_request_without_embedding_gets_the_models_mean():
    """So does a model none of whose rows has an embedding."""
    ridge = learned(Ridge(1), table([EAST, WEST, [0, 0]], [[1.0, NAN], [0.0, NAN], [0.5, 0.25]]))

    assert [0.5, 0.25] == [mean(ridge, Context("", 1)), mean(ridge, towards(EAST), B)]


@pytest.mark.parametrize(
    ("embeddings", "rewards", "expected"),
    [
        ([], [], 0.5),
        ([EAST], [0.25], 0.25),
        ([EAST, EAST], [0.25, 0.75], 0.5),
        ([[0, 0]], [1.0], 1.0),
        ([[NAN, 1]], [1.0], 1.0),
        ([EAST], [NAN], 0.5),
    ],
)
def test_does_with_little(embeddings, rewards, expected):
    """No row, one, one twice, none with an embedding, none observed: the mean, or nothing known."""
    ridge = Ridge()
    ridge.learn(table(np.array(embeddings).reshape(-1, 2), rewards))

    assert expected == mean(ridge, towards(NORTH))
    assert 0 < std(ridge, towards(NORTH)) <= 0.5


def test_new_model_comes_later():
    """Rows learned before a model was known have no outcome for it, and keep their line for the other."""
    ridge = learned(Ridge(1), table([EAST, WEST], [1.0, 0.0]))
    before = mean(ridge, towards(EAST))
    ridge.learn(table([EAST], [0.75], models="b"))

    assert [pytest.approx(before), 0.75] == [mean(ridge, towards(EAST), A), mean(ridge, towards(EAST), B)]


@pytest.mark.parametrize("use", ["predict", "learn"])
def test_refuses_an_embedding_of_another_length(use):
    """Another encoder's embeddings are an error that says so, not a broadcast."""
    ridge = learned(Ridge(), table([EAST], [1.0]))

    with pytest.raises(ValueError, match=r"has 3 numbers but those learned have 2.*pointsman train"):
        ridge.predict([towards([1, 0, 0])], [A]) if use == "predict" else ridge.learn(table([[1, 0, 0]], [1.0]))


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": -1.0}, {"alpha": NAN}, {"max_rows": 0}])
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value}"):
        Ridge(**wrong)
