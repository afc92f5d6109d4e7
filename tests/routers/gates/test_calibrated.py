import numpy as np
import pytest

from routers.calibration.calibration import Graded
from routers.gates.calibrated import Calibrated
from routers.gates.judge import Judge
from routers.gates.logprob import Logprob
from tests.routers.gates.asking import chance, told

SURE = told(logprobs=(np.log(0.9),))


def graded(n=600, right=0.3):
    """Return answers that were sure of themselves, and right in so many cases."""
    rewards = (np.arange(n) % 10 < right * 10).astype(float)
    return Graded(np.full(n, 0.9) + np.linspace(-0.01, 0.01, n), rewards, ["small"] * n, [""] * n)


def test_before_it_is_fitted_a_score_is_taken_for_a_chance():
    """There is nothing to hold it against."""
    gate = Calibrated(Logprob())

    assert pytest.approx(0.9) == chance(gate, SURE)
    assert (None, False) == (gate.error, gate.is_fitted)


def test_afterwards_it_stands_for_what_came_of_such_scores():
    """A model that is sure and wrong is not believed; how far off the chances are is told."""
    gate = Calibrated(Logprob())
    gate.fit(graded())

    assert 0.2 < chance(gate, SURE) < 0.45
    assert gate.error is not None


def test_what_was_learned_can_be_kept():
    """As arrays."""
    gate, other = Calibrated(Logprob()), Calibrated(Logprob())
    gate.fit(graded())
    other.restore(gate.state())

    assert chance(gate, SURE) == chance(other, SURE)


def test_it_wants_and_names_what_its_gate_does():
    """It is asked in its place."""
    assert {"logprobs": True} == dict(Calibrated(Logprob()).asks)
    assert {"large"} == Calibrated(Judge("large")).named
    assert frozenset() == Calibrated(Logprob()).named
