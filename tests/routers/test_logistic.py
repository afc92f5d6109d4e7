import subprocess
import sys

import numpy as np
import pytest

from routers.checks import check_estimator
from routers.estimators.logistic import Logistic
from routers.types import Candidate, Context
from tests.tables import CENTRE, EAST, NAN, NORTH, WEST, A, B, learned, mean, std, table, towards


def sigmoid(odds):
    """Return the chance of log-odds."""
    return 1 / (1 + np.exp(-odds))


def planted(n, length, models, seed=0):
    """Outcomes, right or wrong, of which the log-odds are linear in the embedding; and the chances."""
    rng = np.random.default_rng(seed)
    slopes = 2 * np.random.default_rng(99).standard_normal((length, models))
    points = rng.standard_normal((n, length))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    chances = sigmoid(points @ slopes)
    return table(points, rng.random((n, models)) < chances), chances


def test_passes_the_battery():
    """What every estimator must do."""
    check_estimator(lambda: Logistic(max_rows=100))


def test_mean_solves_its_equation():
    """Of one right answer at 1 and one wrong at -1 the slope is c times the sum of residuals, 2 (1 - p)."""
    p = mean(learned(Logistic(c=5.0), table([EAST, WEST], [1.0, 0.0])), towards(EAST))

    assert pytest.approx(np.log(p / (1 - p)), abs=1e-4) == 5 * 2 * (1 - p)


def test_rewards_between_count_in_part():
    """A reward of 0.75 is three right answers and a wrong one, at a quarter of their weight."""
    soft = learned(Logistic(c=4.0), table([EAST, WEST], [0.75, 0.25]))
    hard = learned(Logistic(c=1.0), table([EAST] * 4 + [WEST] * 4, [1, 1, 1, 0, 1, 0, 0, 0]))

    assert pytest.approx(mean(hard, towards(EAST)), abs=1e-5) == mean(soft, towards(EAST))
    assert 0.5 < mean(soft, towards(EAST)) < 0.75


def test_standard_error_by_hand():
    """At the centre 1 / (n w), turned into a chance."""
    logistic = learned(Logistic(c=1.0), table([EAST, WEST] * 50, [1.0, 0.0] * 50))
    p = mean(logistic, towards(EAST))

    error = (1 / (100 * p * (1 - p))) ** 0.5
    assert pytest.approx((sigmoid(error) - sigmoid(-error)) / 2, rel=1e-4) == std(logistic, towards(CENTRE))


def test_standard_error_off_the_centre_by_hand():
    """There the slope's share comes in: 1 / (100 + 1 / (c w)), over w."""
    logistic = learned(Logistic(c=1.0), table([EAST, WEST] * 50, [1.0, 0.0] * 50))
    p = mean(logistic, towards(EAST))

    w, odds = p * (1 - p), np.log(p / (1 - p))
    error = ((1 / 100 + 1 / (100 + 1 / w)) / w) ** 0.5
    assert pytest.approx((sigmoid(odds + error) - sigmoid(odds - error)) / 2, rel=1e-4) == std(logistic, towards(EAST))


def test_finds_planted_curves():
    """Most of what the chances differ by is recovered, and two standard errors cover nearly all of the rest."""
    outcomes, _ = planted(800, 8, 3)
    asked, chances = planted(300, 8, 3, seed=1)
    logistic = Logistic()
    logistic.learn(outcomes)

    estimates = logistic.predict(asked.contexts(), [Candidate(model) for model in asked.models])

    errors = estimates.mean - chances
    assert np.square(errors).mean() < 0.15 * chances.var(axis=0).mean()
    assert 0.85 < (np.abs(errors) < 2 * estimates.std).mean() <= 1


def test_chosen_strength_follows_the_signal():
    """Noise is smoothed to the mean; a plain line is not."""
    rng = np.random.default_rng(3)
    points = rng.standard_normal((200, 20))
    noise, plain = rng.random(200) < 0.5, points[:, 0] > 0
    length = [np.linalg.norm(learned(Logistic(), table(points, r)).state()["coefficients"]) for r in (noise, plain)]

    assert length[0] < 0.1 * length[1]


def test_models_are_fitted_to_their_own_rows():
    """With a gap, b's curve is what it would be if a had never been observed."""
    both = learned(Logistic(1), table([EAST, NORTH, WEST], [[1.0, 1.0], [0.5, NAN], [0.0, 0.0]]))
    alone = learned(Logistic(1), table([EAST, WEST], [1.0, 0.0], models="b"))

    assert pytest.approx(mean(alone, towards(EAST), B), abs=1e-6) == mean(both, towards(EAST), B)
    assert pytest.approx(std(alone, towards(EAST), B), abs=1e-6) == std(both, towards(EAST), B)


def test_request_without_embedding_gets_the_models_mean():
    """No direction, no curve."""
    assert 0.75 == mean(learned(Logistic(1), table([EAST, WEST], [1.0, 0.5])), Context("", 1))


@pytest.mark.parametrize(
    ("embeddings", "rewards", "expected"),
    [
        ([], [], 0.5),
        ([EAST], [0.25], 0.25),
        ([EAST, EAST], [0.25, 0.75], 0.5),
        ([EAST, WEST], [1.0, 1.0], 1.0),
        ([EAST, WEST], [0.0, 0.0], 0.0),
        ([[0, 0]], [0.5], 0.5),
        ([EAST], [NAN], 0.5),
    ],
)
def test_does_with_little(embeddings, rewards, expected):
    """No row, one, one twice, all right, all wrong, none with an embedding, none observed."""
    logistic = Logistic()
    logistic.learn(table(np.array(embeddings).reshape(-1, 2), rewards))

    assert pytest.approx(expected, abs=1e-4) == mean(logistic, towards(NORTH))
    assert 0 < std(logistic, towards(NORTH)) <= 0.5


def test_new_model_comes_later():
    """Rows learned before a model was known have no outcome for it."""
    logistic = learned(Logistic(1), table([EAST, WEST], [1.0, 0.0]))
    before = mean(logistic, towards(EAST))
    logistic.learn(table([EAST], [0.75], models="b"))

    assert pytest.approx([before, 0.75], abs=1e-4) == [mean(logistic, towards(EAST), model) for model in (A, B)]


def test_predicting_loads_no_scikit_learn():
    """A gateway that only serves does not pay for it."""
    code = (
        "import sys, routers.estimators.logistic as l, routers.estimators.task as t\n"
        "from routers.types import Candidate, Context\n"
        "[e.predict([Context('', 1)], [Candidate('a')]) for e in (l.Logistic(), t.Task())]\n"
        "print('sklearn' in sys.modules or 'scipy' in sys.modules)"
    )

    assert "False\n" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("wrong", [{"c": 0.0}, {"c": -1.0}, {"c": NAN}, {"max_rows": 0}])
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value}"):
        Logistic(**wrong)
