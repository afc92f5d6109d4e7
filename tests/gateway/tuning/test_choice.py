from __future__ import annotations

import numpy as np
import pytest

from gateway.tuning.choice import Mean, Metric, Tried, choose, put_dial
from gateway.tuning.parts import Parts
from gateway.tuning.setting import Setting
from gateway.tuning.trial import Outcome
from routers.types import Outcomes


def outcome(aiqs=(0.5, 0.5), squared_errors=(0.2, 0.2), cost=(1.0,), quality=(0.5,)):
    return Outcome(
        setting=0,
        table=0,
        cost_usd=np.array(cost),
        quality=np.array(quality),
        aiq=sum(aiqs) / len(aiqs),
        aiqs=tuple(aiqs),
        squared_error=sum(squared_errors) / len(squared_errors),
        squared_errors=tuple(squared_errors),
        fit_s=0.1,
    )


def tried(rank, *outcomes):
    return Tried(Setting("knn", {"neighbours": rank}, (rank,)), outcomes)


def parts(rewards=((0.0, 1.0), (1.0, 1.0)), costs=((1.0, 4.0), (1.0, 4.0))):
    """Return two rows of two models, each a part of its own."""
    known = np.array(rewards, np.float32)
    unknown = np.full_like(known, np.nan)
    outcomes = Outcomes(("small", "large"), np.zeros((2, 1), np.float32), known, np.array(costs, np.float32), unknown)
    rows = (np.array([0]), np.array([1]))
    return Parts(outcomes, rows[::-1], rows)


def test_standard_error_is_that_of_the_parts():
    """Of 1, 2 and 3: the deviation is 1, and its error that over the root of three."""
    assert 1 / 3**0.5 == pytest.approx(Mean(2.0, (1.0, 2.0, 3.0)).error)


def test_the_simplest_of_those_as_good_as_the_best_is_chosen():
    """Differences of 0.02 and 0 have a mean of 0.01 and an error of 0.01: as far as can be told, there is none."""
    simple, best = tried(0, outcome((0.50, 0.60))), tried(1, outcome((0.52, 0.60)))
    choice = choose([simple, best], Metric.AIQ)

    assert best is choice.best
    assert (simple, best) == choice.within
    assert simple is choice.chosen


def test_a_difference_that_is_the_same_in_every_part_is_believed():
    """However much harder one part is than another for both."""
    simple, best = tried(0, outcome((0.1, 0.9))), tried(1, outcome((0.11, 0.91)))

    assert best is choose([simple, best], Metric.AIQ).chosen


def test_of_equals_the_simplest_is_best():
    """Whatever their order."""
    simple, other = tried(0, outcome()), tried(1, outcome())

    assert simple is choose([other, simple], Metric.AIQ).best


def test_squared_errors_are_to_be_small():
    """What has the better curve may expect worse."""
    curve, exact = tried(0, outcome((0.9, 0.9), (0.3, 0.3))), tried(1, outcome((0.1, 0.1), (0.1, 0.1)))

    assert exact is choose([curve, exact], Metric.SQUARED_ERROR).chosen
    assert curve is choose([curve, exact], Metric.AIQ).chosen


def test_the_mean_over_tables_counts():
    """One that is fair on both beats one that is good on the first alone."""
    lopsided = tried(0, outcome((0.9, 0.9)), outcome((0.1, 0.1)))
    fair = tried(1, outcome((0.6, 0.6)), outcome((0.6, 0.6)))

    assert 0.5 == lopsided.aiq.value
    assert fair is choose([lopsided, fair], Metric.AIQ).chosen


def test_the_dial_is_put_where_the_best_single_model_is_matched_at_the_least_cost():
    """Always asking `large` earns 1 at USD 4; the third setting earns that at USD 2."""
    curve = tried(0, outcome(cost=(1.0, 1.5, 2.0, 4.0), quality=(0.5, 0.9, 1.0, 1.0)))
    dial = put_dial(curve, [parts()], (0.0, 0.3, 0.6, 1.0), floor=0)
    (standing,) = dial.standings

    assert (0.6, True) == (dial.quality_weight, dial.reached)
    assert ("large", 1.0, 4.0) == (standing.single, standing.single_quality, standing.single_cost_usd)
    assert (1.0, 2.0) == (standing.quality, standing.cost_usd)


def test_the_dial_is_put_where_the_curve_is_best_if_it_is_never_as_good():
    """The cheaper of two that are equally good."""
    curve = tried(0, outcome(cost=(1.0, 3.0, 2.0), quality=(0.5, 0.9, 0.9)))
    dial = put_dial(curve, [parts()], (0.0, 0.5, 1.0), floor=0)

    assert (1.0, False) == (dial.quality_weight, dial.reached)


def test_a_floor_costs_what_even_chances_cost():
    """A tenth each goes to `small` (0.5 at USD 1) and `large` (1 at USD 4), the rest where the dial is."""
    dial = put_dial(tried(0, outcome(cost=(2.0,), quality=(1.0,))), [parts()], (0.5,), floor=0.1)
    (standing,) = dial.standings

    # The floors of both models together are a tenth of the requests, and no more.
    assert 0.9 * 1.0 + 0.05 * (0.5 + 1.0) == pytest.approx(standing.floored_quality)
    assert 0.9 * 2.0 + 0.05 * (1.0 + 4.0) == pytest.approx(standing.floored_cost_usd)


def test_tables_weigh_alike_whatever_their_costs():
    """A table whose prompts cost a thousand times more does not decide alone."""
    cheap = outcome(cost=(1.0, 4.0), quality=(1.0, 1.0))
    dear = outcome(cost=(3000.0, 2900.0), quality=(1.0, 1.0))
    tables = [parts(), parts(costs=((1000.0, 4000.0), (1000.0, 4000.0)))]

    assert 0.1 == put_dial(tried(0, cheap, dear), tables, (0.1, 0.9), floor=0).quality_weight


def test_models_that_are_free_can_be_compared():
    """There is nothing to divide by."""
    free = parts(costs=((0.0, 0.0), (0.0, 0.0)))

    assert 0.2 == put_dial(tried(0, outcome(cost=(0.0,), quality=(1.0,))), [free], (0.2,), floor=0).quality_weight
