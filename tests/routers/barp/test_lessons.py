from dataclasses import replace

import numpy as np
import pytest

from routers.barp.lessons import cap_of, of_log, of_table
from routers.observations import Observations
from routers.types import Context, Outcomes

NAN = np.nan
UNIT = np.eye(3, dtype=np.float32)


def table(rewards):
    rewards = np.array(rewards, np.float32)
    return Outcomes(("a", "b"), np.ones((len(rewards), 3), np.float32), rewards, rewards, rewards)


def test_rows_of_which_nothing_is_known_are_left_out():
    """A full row has no propensity: the policy chooses itself."""
    lessons = of_table(table([[1, 0], [NAN, NAN]]), ("b", "a"))

    assert [[0, 1]] == lessons.rewards.tolist()
    assert np.isnan(lessons.propensities).all()


def test_a_single_outcome_is_taken_for_one_that_was_drawn():
    """With the model's share of such rows, for want of better."""
    lessons = of_table(table([[1, NAN], [NAN, 1], [0, NAN], [1, NAN], [1, 1]]), ("a", "b"))

    assert [0.75, 0.25, 0.75, 0.75] == lessons.propensities[:4].tolist()
    assert np.isnan(lessons.propensities[4])


def test_a_single_outcome_has_the_propensity_that_was_logged():
    """One that was not drawn is left out; where several were observed, the policy chooses itself."""
    rows = table([[1, NAN], [NAN, 1], [0, NAN], [1, 1], [NAN, 0]])
    lessons = of_table(replace(rows, propensities=np.array([0.9, 0.2, NAN, NAN, 0.3])), ("a", "b"))

    np.testing.assert_array_equal([0.9, 0.2, NAN, 0.3], lessons.propensities)
    np.testing.assert_array_equal([[1, NAN], [NAN, 1], [1, 1], [NAN, 0]], lessons.rewards)


def test_a_log_has_its_own_propensities():
    """A row without a reward or a propensity says nothing; one without an embedding counts as zeros."""
    contexts = [Context("r", 1, UNIT[0]), Context("r", 1), Context("r", 1, UNIT[1]), Context("r", 1, UNIT[1])]
    rewards, chances, gap = np.array([1.0, 0.5, NAN, 1.0]), np.array([0.2, 0.8, 0.2, NAN]), np.full(4, NAN)
    log = Observations(contexts, ["a", "b", "a", "b"], rewards, np.ones(4), chances, gap, gap, gap, gap)
    lessons = of_log(log, ("a", "b"), 3)

    assert [0.2, 0.8] == lessons.propensities.tolist()
    assert [[1, 0, 0], [0, 0, 0]] == lessons.embeddings.tolist()
    assert [[True, False], [False, True]] == lessons.observed.tolist()


def test_cap_is_a_dear_cost():
    """Unknown costs do not count; without any there is none."""
    assert pytest.approx(95) == cap_of(np.array([*range(101), NAN], np.float64))
    assert 0.0 == cap_of(np.array([NAN]))
