from __future__ import annotations

import numpy as np
import pytest

from routers.evaluation.pairs import Pair, judge_pair, recovered


def test_chance_recovers_half():
    """Quality in proportion to the share of strong calls: an APGR of 0.5, and CPTs of what they ask."""
    shares = np.linspace(0, 1, 11)
    found = judge_pair(shares, 0.4 + 0.3 * shares, weak=0.4, strong=0.7)

    assert (0.5, 0.5, 0.8) == (pytest.approx(found.apgr), pytest.approx(found.cpt50), pytest.approx(found.cpt80))


def test_an_apgr_by_hand():
    """All of the gap with half of the calls: a triangle of 0.25 and a square of 0.5."""
    found = judge_pair(np.array([0.5]), np.array([0.7]), weak=0.4, strong=0.7)

    assert (0.75, 0.25, 0.4) == (pytest.approx(found.apgr), pytest.approx(found.cpt50), pytest.approx(found.cpt80))


def test_an_oracle_exceeds_one():
    """Knowing when the weak model is better beats the strong one."""
    assert judge_pair(np.array([0.2]), np.array([0.9]), weak=0.4, strong=0.7).apgr > 1


def test_a_strong_model_that_is_no_better_leaves_no_gap():
    """There is nothing to recover."""
    assert Pair(None, None, None) == judge_pair(np.array([0.5]), np.array([0.5]), weak=0.5, strong=0.5)


def test_the_gap_recovered_by_hand():
    """Nothing at the weak model's quality, all at the strong one's."""
    assert [0.0, 0.5, 1.0] == pytest.approx(recovered([0.4, 0.55, 0.7], 0.4, 0.7).tolist())
