import numpy as np
import pytest

from routers.odds import chances, sigmoid


def test_chances_of_great_odds_are_bounded():
    """However unsure of the odds, the error of a chance is at most a half; however great they are, nothing overflows."""
    mean, std = chances(np.array([0.0, 1e6, -1e6]), np.array([1e6, 1.0, 1.0]))

    assert [0.5, 1.0, 0.0] == mean.tolist()
    assert [0.5, 0.0, 0.0] == std.tolist()


def test_sigmoid():
    """By its definition."""
    assert pytest.approx(1 / (1 + np.exp(-0.7))) == sigmoid(np.array(0.7))
