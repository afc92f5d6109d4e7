from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from routers.sequential.weights import MOST, Chances, by_chance, by_side, controls, covered, unserved

shares = st.floats(0.01, 0.99)
chances = st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda values: sum(values) > 0.01)


def distribution(values):
    return {model: value / sum(values) for model, value in zip("abc", values, strict=True)}


@given(shares, chances, chances)
def test_weights_are_those_of_each_policy_on_average(share, candidate, live):
    """Whatever a model's value, its weighted mean over what is served is the policy's own mean, times the overlap."""
    one, other = distribution(candidate), distribution(live)
    values = {"a": 0.3, "b": 0.9, "c": 0.1}
    served = {model: share * one[model] + (1 - share) * other[model] for model in values}
    seen = {model: by_chance(share, one[model], other[model]) for model in values if served[model] > 0}
    overlap = share * (1 - share)

    mean = sum(served[model] * weights.candidate * values[model] for model, weights in seen.items())
    assert overlap * sum(one[model] * values[model] for model in values) == pytest.approx(mean)
    mean = sum(served[model] * weights.live * values[model] for model, weights in seen.items())
    assert overlap * sum(other[model] * values[model] for model in values) == pytest.approx(mean)


@given(shares)
def test_where_nothing_is_alike_the_side_decides(share):
    """What one policy alone chooses was chosen by it."""
    assert by_side("candidate", share).candidate == pytest.approx(by_chance(share, 1, 0).candidate)
    assert by_side("live", share).live == pytest.approx(by_chance(share, 0, 1).live)
    assert 0 == by_side("candidate", share).live == by_side("live", share).candidate


def test_where_all_is_alike_there_is_no_difference():
    """Both weights are the same, whichever side served."""
    weights = by_chance(0.1, 0.4, 0.4)

    assert weights.candidate == weights.live


@given(shares, chances, chances, st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_controls_are_zero_on_average(share, candidate, live, expected):
    """Whatever was expected."""
    both = Chances(distribution(candidate), distribution(live))
    means = dict(zip("abc", expected, strict=True))
    totals = [0.0, 0.0]
    for model in "abc":
        chance = share * both.candidate[model] + (1 - share) * both.live[model]
        if chance > 0:
            weights = by_chance(share, both.candidate[model], both.live[model])
            pair = controls(weights, means, model, both)
            totals = [total + chance * value for total, value in zip(totals, pair, strict=True)]

    assert [0, 0] == pytest.approx(totals, abs=1e-12)


def test_controls_need_every_expectation():
    """Of a model that nothing was expected of, nothing can be told."""
    both = Chances({"a": 1.0}, {"b": 1.0})

    assert (0.0, 0.0) == controls(by_side("live", 0.5), {"b": 0.5}, "b", both)


@given(st.floats(0, 1), st.floats(1e-9, 1))
def test_what_is_only_watched_is_weighed_by_importance(candidate, live):
    """Up to a limit: no answer decides by itself."""
    assume(candidate / live < MOST)

    assert candidate / live == pytest.approx(unserved(candidate, live).candidate)
    assert MOST == unserved(1, 1e-6).candidate


def test_what_cannot_have_happened_is_refused():
    """An answer that neither could have chosen has no weight."""
    with pytest.raises(ValueError, match="neither"):
        by_chance(0.5, 0, 0)
    with pytest.raises(ValueError, match="live"):
        unserved(1, 0)


def test_coverage_is_what_the_live_policy_may_choose_too():
    """Models that it never chooses are not covered."""
    assert 0.25 == covered({"a": 0.25, "b": 0.75}, {"a": 1.0, "b": 0.0})
