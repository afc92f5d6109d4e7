import numpy as np
import pytest

from routers.calibration.calibration import SHRINKAGE, Calibration, Graded, unseen_error
from routers.calibration.combination import Combination
from routers.calibration.curve import LEAST_ROWS, Curve
from routers.calibration.ece import calibration_error


def graded(n, seed=0, model="small", domain="", chance=lambda score: score**2):
    """Return answers whose chance to be good is a function of their score."""
    rng = np.random.default_rng(seed)
    scores = rng.random(n)
    return Graded(scores, (rng.random(n) < chance(scores)).astype(float), [model] * n, [domain] * n)


def both(one, other):
    """Return the answers of two."""
    scores, rewards = (np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("scores", "rewards"))
    return Graded(scores, rewards, [*one.models, *other.models], [*one.domains, *other.domains])


def chance(calibration, score, model="small", domain=""):
    """Return the chance of one answer."""
    return float(calibration.chances(np.array([score]), [model], [domain])[0])


@pytest.mark.parametrize("n", range(LEAST_ROWS))
def test_too_few_rows_leave_the_score_as_it_is(n):
    """From none to nineteen."""
    calibration = Calibration.fit(graded(n))

    assert 0.3 == chance(calibration, 0.3)


def test_finds_what_scores_mean():
    """A score of 0.5 means a quarter."""
    calibration = Calibration.fit(graded(4000))

    assert pytest.approx(0.25, abs=0.04) == chance(calibration, 0.5)


def test_a_score_out_of_range_counts_as_the_next_in_range():
    """Nothing is known beyond."""
    calibration = Calibration.fit(graded(400))

    assert chance(calibration, 1.0) == chance(calibration, 7.0)


def test_models_differ_as_far_as_there_are_rows():
    """A model with few rows is drawn to what is known of all."""
    large = graded(4000, model="large", chance=lambda score: np.full_like(score, 0.9))
    many = Calibration.fit(both(graded(4000), large))
    few = Calibration.fit(both(graded(4000), large.take(np.arange(25))))

    assert pytest.approx(0.9, abs=0.03) == chance(many, 0.1, "large")
    assert chance(few, 0.1, "large") < 0.6
    assert chance(few, 0.1, "unknown") < 0.2


def test_domains_differ_within_a_model():
    """And a domain never seen goes by the model."""
    good = graded(2000, domain="law", chance=lambda score: np.full_like(score, 0.9))
    calibration = Calibration.fit(both(graded(2000, domain="code", chance=lambda score: 0 * score), good))

    assert chance(calibration, 0.5, domain="law") > 0.85
    assert chance(calibration, 0.5, domain="code") < 0.05
    assert pytest.approx(0.45, abs=0.06) == chance(calibration, 0.5, domain="other")


def test_state_comes_back():
    """As arrays."""
    calibration = Calibration.fit(both(graded(200, domain="law"), graded(100, model="large")))
    again = Calibration.restored(calibration.state())

    assert calibration.curves.keys() == again.curves.keys()
    assert chance(calibration, 0.4, "small", "law") == chance(again, 0.4, "small", "law")
    assert {} == Calibration.restored(Calibration().state()).curves


def test_a_curve_of_few_rows_counts_for_little():
    """With as many rows as the shrinkage, half."""
    calibration = Calibration({(): Curve(SHRINKAGE, np.array([0.0, 1.0]), np.array([1.0, 1.0]))})

    assert 0.6 == chance(calibration, 0.2)


def test_the_form_is_chosen_by_rows_not_seen():
    """A step is isotonic regression's, and a logistic curve of few rows is Platt's."""
    step = graded(400, chance=lambda score: (score > 0.37).astype(float))
    smooth = graded(60, chance=lambda score: score)

    assert abs(Curve.fit(step.scores, step.rewards).at(np.array([0.3]))[0]) < 0.05
    assert 101 == len(Curve.fit(smooth.scores, smooth.rewards).scores)


def test_scores_that_mean_what_they_say_have_hardly_an_error():
    """And the interval tells how much of it is chance."""
    true = graded(4000, chance=lambda score: score)
    told = calibration_error(true.scores, true.rewards)

    assert told.value < 0.03
    assert told.interval[0] < told.interval[1] < 0.06
    assert 4000 == told.n


def test_calibrating_lowers_the_error():
    """On answers that had not been seen."""
    rows = graded(2000)

    assert unseen_error(rows).value < 0.04
    assert calibration_error(rows.scores, rows.rewards).value > 0.1


def test_no_answers_have_no_error():
    """Which is not none."""
    assert np.isnan(calibration_error(np.zeros(0), np.zeros(0)).value)


def test_combining_weighs_scores_by_what_they_say():
    """One score knows, the other is noise."""
    rng = np.random.default_rng(0)
    scores = rng.random((2000, 2))
    made = Combination.fit(scores, ["small"] * 2000, (rng.random(2000) < scores[:, 0]).astype(float))

    assert pytest.approx([1, 0], abs=0.12) == made.weights.tolist()


def test_combining_knows_models_apart():
    """By a constant; one never seen has that of all."""
    rewards = np.array([1.0] * 900 + [0.0] * 100 + [0.0] * 900 + [1.0] * 100)
    made = Combination.fit(np.full((2000, 1), 0.5), ["good"] * 1000 + ["bad"] * 1000, rewards)

    assert (
        pytest.approx([0.9, 0.1, 0.5], abs=0.02) == made.chances(np.full((3, 1), 0.5), ["good", "bad", "new"]).tolist()
    )


def test_combining_without_rows_is_of_no_opinion():
    """A half, whatever the scores."""
    assert [0.5] == Combination.fit(np.zeros((0, 2)), [], np.zeros(0)).chances(np.array([[0.9, 0.1]]), ["a"]).tolist()


def test_scores_that_are_missing_say_nothing():
    """They leave the others as they are."""
    made = Combination(np.array([1.0, 1.0]), 0.0, (), np.zeros(0))

    assert pytest.approx(0.8) == made.chances(np.array([[0.8, np.nan]]), ["a"])[0]


def test_a_combination_comes_back():
    """As arrays."""
    made = Combination(np.array([1.0, 0.5]), 0.25, ("a",), np.array([0.1]))
    scores = np.array([[0.3, 0.6]])

    assert made.chances(scores, ["a"]).tolist() == Combination.restored(made.state()).chances(scores, ["a"]).tolist()
