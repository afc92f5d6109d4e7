from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.judging.rules import JudgingRules
from gateway.judging.sampling import MOST_OFTEN, RAREST, Variances, chance


@given(st.floats(0, 1), st.floats(0, 1e9))
def test_the_probability_is_one(share, relative):
    """It stays within bounds that estimates can be divided by, and grows with the variance."""
    even = JudgingRules(("j",), share=share)
    by_variance = JudgingRules(("j",), share=share, weighing="uncertainty")

    assert share == chance(even, "p", relative)
    drawn = chance(by_variance, "p", relative)
    assert share * RAREST <= drawn * (1 + 1e-9)
    assert drawn <= min(1.0, share * MOST_OFTEN)
    assert drawn <= chance(by_variance, "p", 2 * relative)


def test_a_policy_has_its_own_share():
    """Zero is none."""
    rules = JudgingRules(("j",), share=0.5, shares={"p": 0.0}, weighing="uncertainty")

    assert (0.0, 0.5) == (chance(rules, "p", 5.0), chance(rules, "q", 1.0))


def test_variances_are_held_against_those_before():
    """The first says nothing; then their mean is one."""
    variances = Variances()
    found = [variances.relative(value) for value in (2.0, 2.0, 6.0, 0.0)]

    assert [1.0, 1.0, 3.0, 0.0] == found


@pytest.mark.parametrize("weighing", ["even", "uncertainty"])
def test_estimates_from_a_sample_are_unbiased(weighing):
    """Divided by their probabilities, the rewards that were drawn have the mean of all: exactly, in expectation."""
    rules = JudgingRules(("j",), share=0.2, weighing=weighing)
    variances = Variances()
    rows = [(math.sin(n) ** 2, (n % 7) / 3) for n in range(500)]
    chances = [chance(rules, "p", variances.relative(variance)) for _, variance in rows]
    expected = sum(p * (reward / p) for p, (reward, _) in zip(chances, rows, strict=True))

    assert all(chances)
    assert sum(reward for reward, _ in rows) == pytest.approx(expected)
