import pytest

from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.plans.around import asking, ladder_of, ranked
from routers.plans.panel import Panel
from routers.rules.greedy import Greedy
from tests.routers.plans.driving import CONTEXT, LARGE, MEDIUM, POOL, SMALL, Told


def drawn(told):
    return next(told.plan(CONTEXT, POOL, None))


def test_asking_certain_candidates_says_so_in_the_propensities():
    """They share what there is; what was expected stays for the log."""
    call = asking(drawn(Told()), SMALL, LARGE, why="w")

    assert {"small": 0.5, "large": 0.5, "medium": 0.0} == dict(call.propensities)
    assert {"small", "medium", "large"} == call.estimates.keys()
    assert (False, "w") == (call.stream, call.why)


def test_one_that_is_asked_twice_has_both_shares():
    """It is one candidate."""
    assert {"small": 1.0, "large": 0.0, "medium": 0.0} == dict(
        asking(drawn(Told()), SMALL, SMALL, why="w").propensities
    )


def test_a_ladder_leads_up_from_the_draw():
    """By cost; unknown costs come last."""
    assert [SMALL, MEDIUM, LARGE] == ladder_of(drawn(Told()), POOL)
    assert [MEDIUM, LARGE] == ladder_of(drawn(Told("medium")), POOL)
    assert [MEDIUM, LARGE, SMALL] == ladder_of(drawn(Told("medium", costs={"medium": 1, "large": 2})), POOL)


def test_the_best_expected_come_first():
    """Then by name, and those of whom nothing is expected last."""
    assert [LARGE, MEDIUM, SMALL] == ranked(drawn(Told()), POOL)
    assert [SMALL, LARGE, MEDIUM] == ranked(drawn(Told(rewards={"small": 0.1})), POOL)


def test_the_dial_is_the_routers():
    """A plan turned is the same plan around the same router turned; one without a dial stays as it is."""
    panel = Panel(EstimatingRouter(Constant(), Greedy(), quality_weight=0.7))
    turned = panel.with_quality_weight(0.2)

    assert (0.7, 0.2, panel.size) == (panel.quality_weight, turned.quality_weight, turned.size)
    fixed = Panel(Told())
    assert (1.0, fixed.router) == (fixed.quality_weight, fixed.with_quality_weight(0.2).router)


def test_learning_is_the_routers():
    """A plan learns nothing by itself."""
    with pytest.raises(NotImplementedError):
        Panel(Told()).learn(None)
