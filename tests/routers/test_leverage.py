import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.leverage import DIRECTIONS, Leverage, Spectrum, groups


def exact(points, observed, point, penalties):
    """Return the same by inverting a matrix for each model."""
    found = []
    for column, penalty in zip(observed.T, penalties, strict=True):
        own = points[column]
        centred, offset = own - own.mean(axis=0), point - own.mean(axis=0)
        inverse = np.linalg.inv(centred.T @ centred + penalty * np.eye(len(point)))
        found.append(1 / len(own) + offset @ inverse @ offset)
    return np.array(found)


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 6))
def test_agrees_with_the_inverse(seed, n, length):
    """Models observed on some rows or all, at any point, with any penalty."""
    rng = np.random.default_rng(seed)
    points, point = rng.standard_normal((n, length)), rng.standard_normal(length)
    observed = rng.random((n, 4)) < 0.7
    observed[0] = True
    penalties = rng.uniform(0.1, 10, 4)

    leverage = Leverage.of(points, observed).at(point, penalties)

    assert pytest.approx(exact(points, observed, point, penalties), rel=1e-4) == leverage


def test_directions_that_are_not_kept_count_as_unobserved():
    """With many groups there is more variance than there would be with all directions, never less."""
    rng = np.random.default_rng(0)
    models, length = 40, 50
    points, point = rng.standard_normal((200, length)), rng.standard_normal(length)
    observed = rng.random((200, models)) < 0.5
    leverage = Leverage.of(points, observed)

    truth = exact(points, observed, point, np.full(models, 2.0))

    found = leverage.at(point, np.full(models, 2.0))
    assert (DIRECTIONS // models, length) == leverage.directions.shape[1:]
    assert (found > truth).all()
    assert (found < point @ point).all()


def test_models_observed_alike_are_one_group():
    """Three models, of which two were observed on the same rows."""
    patterns, group = groups(np.array([[True, False, True], [True, True, True]]))

    assert 2 == len(patterns)
    assert group[0] == group[2] != group[1]


@pytest.mark.parametrize(("rows", "models"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_is_a_pattern_too(rows, models):
    """No rows, no models, or neither."""
    patterns, group = groups(np.ones((rows, models), np.bool_))

    assert (min(models, 1), models) == (len(patterns), len(group))
    assert (models,) == Leverage.of(np.zeros((rows, 2)), np.ones((rows, models), np.bool_)).at(
        np.zeros(2, np.float32), np.ones(models)
    ).shape


def test_strongest_direction_comes_first():
    """The points vary most along the second axis."""
    spectrum = Spectrum.of(np.array([[1.0, 3.0], [1.0, -3.0], [2.0, 0.0], [0.0, 0.0]]))

    assert [18.0, 2.0] == pytest.approx(spectrum.strengths.tolist())
    assert [0.0, 1.0] == pytest.approx(np.abs(spectrum.directions[0]).tolist())


def test_state_comes_back():
    """What is restored says the same."""
    leverage = Leverage.of(np.eye(3), np.array([[True, True], [True, False], [True, True]]))
    point, penalties = np.ones(3, np.float32), np.array([1.0, 2.0])

    assert leverage.at(point, penalties).tolist() == Leverage.restored(leverage.state()).at(point, penalties).tolist()
