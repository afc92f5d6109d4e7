import numpy as np
import pytest

from routers.cascades.optimise import Optimiser
from routers.cascades.scene import Scene
from routers.cascades.setting import Setting
from routers.cascades.simulate import error_of, verdicts

MODELS = ("small", "medium", "large")
UNIT = 1.0
ROUTER = {"type": "estimating", "estimator": {"type": "knn"}}


def scene_with(error, n=600, seed=0):
    """Return a scene where nobody knows beforehand who is right, and a gate afterwards but for its error; and its error."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n)
    skills = np.array([0.5, 0.7, 0.9])
    rewards = (rng.random((n, 3)) < np.clip(skills + 0.5 * (0.5 - hard[:, None]), 0, 1)).astype(float)
    costs = np.tile([0.05, 0.3, 1.0], (n, 1))
    means = np.tile(skills, (n, 1))
    said = verdicts(rewards, error, rng)
    right = skills * (1 - error) / (skills * (1 - error) + (1 - skills) * error) if error else np.ones(3)
    wrong = skills * error / (skills * error + (1 - skills) * (1 - error))
    chances = np.where(said == 1, right, wrong)
    return Scene(MODELS, rewards, costs, means, np.full_like(means, 0.02), costs, chances), error_of(said, rewards)


@pytest.mark.parametrize("error", [0.0, 0.05, 0.1])
def test_a_good_gate_is_worth_several_calls(error):
    """Where the gate errs in at most a tenth of the cases, and money counts somewhat."""
    scene, measured = scene_with(error)
    choice = Optimiser(scene, measured).at_price(0.2)
    unseen, _ = scene_with(error, seed=1)
    single = Optimiser(scene, measured).best_single(0.2)

    assert "single" != choice.setting.family
    assert not choice.reason
    assert choice.advantage > 0
    assert choice.setting.play(unseen).utility(0.2).mean() > single.play(unseen).utility(0.2).mean()


@pytest.mark.parametrize("error", [0.3, 0.4, 0.5])
def test_a_bad_gate_is_not_relied_on(error):
    """Above a quarter the best single call is taken, at any price."""
    optimiser = Optimiser(*scene_with(error))
    for price in (0.01, 0.5):
        choice = optimiser.at_price(price)
        assert optimiser.best_single(price) == choice.setting
        assert "the gate errs in" in choice.reason


def test_an_advantage_that_may_be_luck_is_not_believed():
    """Where money counts for everything the cheapest answers, and a plan has nothing to add."""
    choice = Optimiser(*scene_with(0.0)).at_price(100.0)

    assert "single" == choice.setting.family
    assert "standard errors" in choice.reason


def test_stays_within_a_budget():
    """And gets more for more money."""
    optimiser = Optimiser(*scene_with(0.05))
    poor, rich = optimiser.within(0.1), optimiser.within(0.5)

    assert poor.cost_usd <= 0.1
    assert 0.1 < rich.cost_usd <= 0.5
    assert poor.quality < rich.quality


def test_a_budget_below_all_leaves_the_cheapest():
    """Somebody has to answer."""
    assert pytest.approx(0.05) == Optimiser(*scene_with(0.05)).within(0.001).cost_usd


def test_a_single_call_is_the_router_with_its_dial():
    """A price of one dearest answer is a dial at a half."""
    assert {**ROUTER, "quality_weight": 0.5} == Setting("single", price=2.0).specification(ROUTER, {}, 0.5)


def test_a_chain_begins_with_the_cheapest():
    """The dial is at its lower end, and the steps are the chain's."""
    setting = Setting("chain", models=("a", "b"), thresholds=(0.4,), gain=-1.0)
    expected = {
        "type": "cascade",
        "gate": {"type": "wellformed"},
        "thresholds": [0.4],
        "max_steps": 2,
        "gain": -1.0,
        "router": {**ROUTER, "quality_weight": 0.0},
    }

    assert expected == setting.specification(ROUTER, {"type": "wellformed"}, 1.0)


def test_cascade_routing_says_what_an_answer_is_worth():
    """In USD."""
    setting = Setting("cascade_routing", price=1.0, quality_value_usd=0.02)
    spec = setting.specification(ROUTER, {"type": "wellformed"}, 1.0)

    assert ("cascade_routing", 0.02, 3) == (spec["type"], spec["quality_value_usd"], spec["max_steps"])
    assert 0.5 == spec["router"]["quality_weight"]
