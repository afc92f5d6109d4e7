from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.evaluation.off_policy.direct import direct
from routers.evaluation.off_policy.dr import dr
from routers.evaluation.off_policy.ips import ips
from routers.evaluation.off_policy.snips import snips
from routers.evaluation.off_policy.switch_dr import switch_dr, threshold_of
from tests.off_policy_samples import drawn, sample

ALL = [direct, ips, snips, dr, switch_dr]
SEEDS = st.integers(0, 2**20)


def test_a_log_is_weighed_by_how_much_likelier_the_policy_makes_it():
    """By hand: weights 1.6 and 0.4, of two rewards each."""
    of = sample([0.8, 0.2], [0.5, 0.5], [0, 0, 1, 1], [1, 0, 1, 1])

    assert [1.6, 1.6, 0.4, 0.4] == pytest.approx(of.weights.tolist())
    assert (1.6 + 0.4 + 0.4) / 4 == pytest.approx(ips(of).value)
    assert (1.6 + 0.4 + 0.4) / 4.0 == pytest.approx(snips(of).value)


def test_what_is_expected_is_corrected_by_what_came_of_it():
    """The direct method alone is wrong by as much as its expectations are."""
    of = sample([1.0, 0.0], [0.5, 0.5], [0, 0, 1, 1], [1, 1, 0, 0], expected=[0.25, 0.0])

    assert 0.25 == direct(of).value
    assert 1.0 == dr(of).value


@settings(max_examples=25)
@given(SEEDS)
def test_the_policy_that_ran_has_the_mean_of_what_came_of_it(seed):
    """Where the target is what was logged, every weight is one."""
    of = drawn(seed)
    of = replace(of, target=of.logged)

    for estimate in (ips, snips):
        assert of.values.mean() == pytest.approx(estimate(of).value)


@settings(max_examples=25)
@given(SEEDS, st.floats(-5, 5))
def test_a_shift_of_all_values_shifts_what_normalises_itself(seed, shift):
    """`snips` and, with expectations that move too, `dr` follow it; `ips` need not."""
    of = drawn(seed)
    moved = replace(of, values=of.values + shift, expected=of.expected + shift)

    for estimate in (direct, snips, dr):
        assert estimate(of).value + shift == pytest.approx(estimate(moved).value, abs=1e-9)


@settings(max_examples=25)
@given(SEEDS, st.floats(0.01, 100))
def test_estimates_scale_with_the_unit(seed, unit):
    """Dollars or cents: the same, with their errors."""
    of = drawn(seed)
    scaled = replace(of, values=of.values * unit, expected=of.expected * unit)

    for estimate in ALL:
        assert estimate(of).value * unit == pytest.approx(estimate(scaled).value)
        assert estimate(of).error * unit == pytest.approx(estimate(scaled).error)


@settings(max_examples=25)
@given(SEEDS)
def test_the_order_of_rows_does_not_matter(seed):
    """Nor does it for the error."""
    of = drawn(seed)
    turned = of.take(np.random.default_rng(seed).permutation(of.n))

    for estimate in ALL:
        assert estimate(of).value == pytest.approx(estimate(turned).value)
        assert estimate(of).error == pytest.approx(estimate(turned).error)


@settings(max_examples=25)
@given(SEEDS)
def test_a_term_is_what_its_row_does_to_the_estimate(seed):
    """To first order: without the row, the estimate moves by that, and all sum to nothing."""
    of = drawn(seed, n=300)
    rest = of.take(np.arange(1, of.n))

    for estimate in (direct, ips, snips, dr):
        found = estimate(of)
        assert 0 == pytest.approx(found.terms.sum(), abs=1e-9)
        moved = found.value - estimate(rest).value
        assert found.terms[0] == pytest.approx(moved, abs=0.15 * abs(found.terms[0]) + 1e-4)


@pytest.mark.parametrize("estimate", [ips, snips, dr])
def test_rows_without_a_value_count_by_what_is_known_of_their_chance(estimate):
    """Of many draws, half of whose values nobody saw, the mean is the truth still."""
    truth, found = [], []
    for seed in range(40):
        of = drawn(seed, n=2000, rated=0.5)
        truth.append((of.target * of.expected).sum(axis=1).mean())
        found.append(estimate(of).value)

    assert np.mean(truth) == pytest.approx(np.mean(found), abs=0.01)


def test_nothing_is_made_up_of_no_weight():
    """Where no row is the policy's, the ratio has no value."""
    of = sample([0.0, 1.0], [1.0, 0.0], [0, 0], [1, 1])

    assert math.isnan(snips(of).value)
    assert 0.0 == ips(of).value


@settings(max_examples=25)
@given(SEEDS)
def test_switching_is_between_expecting_and_correcting(seed):
    """Never: doubly robust. Always: the direct method."""
    of = drawn(seed)

    assert dr(of).value == switch_dr(of, math.inf).value
    assert direct(of).value == switch_dr(of, 0.0).value


def test_the_threshold_follows_from_the_log():
    """Where one weight of a thousand makes all the variance, it is switched off; where all are equal, none is."""
    rng = np.random.default_rng(0)
    values = rng.random(500)
    calm = sample([0.5, 0.5], [0.5, 0.5], rng.integers(0, 2, 500), values, expected=[0.5, 0.5])
    wild = sample([0.999, 0.001], [0.999, 0.001], np.zeros(500, int), values, expected=[0.5, 0.5])
    wild.logged[0], wild.target[0], wild.actions[0], wild.values[0] = [0.9999, 0.0001], [0.9, 0.1], 1, 1.0

    assert dr(calm).value == switch_dr(calm).value
    assert threshold_of(wild) < 1000
