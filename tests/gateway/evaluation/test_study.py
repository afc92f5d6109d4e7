import numpy as np
import pytest

from gateway.evaluation.folds import Folds
from gateway.evaluation.study import Study
from routers.types import Outcomes


def test_the_zero_router_is_measured_on_its_hull():
    """The model in between is worse than the cheapest, and nobody would mix it: the hull goes from 0.5 to 0.75."""
    rewards = np.array([[0, 0, 1], [1, 0, 1], [0, 0, 0], [1, 1, 1]], np.float32)
    costs = np.tile(np.array([1, 2, 3], np.float32), (4, 1))
    test = Outcomes(("a", "b", "c"), np.zeros((4, 0), np.float32), rewards, costs, costs, tasks=("sums",) * 4)
    _, references = Study("t", Folds(test, test), [0.0, 1.0], resamples=10).entries({})
    (zero,) = (entry for entry in references if entry["router"] == "zero")

    assert (0.625, 0.625) == (zero["aiq"], zero["deferral_area"])
    assert 0.625 * 2 / 3 == pytest.approx(zero["hypervolume"])
    assert 1.0 == zero["qnc"]
