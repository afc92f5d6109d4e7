import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from routers.calibration.isotonic import isotonic


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0.0, 0.3, 1.0])), min_size=1, max_size=40))
def test_is_the_best_that_never_falls(rows):
    """It is what scikit-learn finds."""
    scores, rewards = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    knots, chances = isotonic(scores, rewards)
    expected = IsotonicRegression().fit(scores, rewards).predict(np.unique(scores))

    assert np.allclose(expected, np.interp(np.unique(scores), knots, chances))
    assert (np.diff(knots) > 0).all()
    assert (np.diff(chances) >= 0).all()


def test_refuses_no_rows():
    """There is nothing to fit to."""
    with pytest.raises(ValueError, match="no row"):
        isotonic(np.zeros(0), np.zeros(0))
