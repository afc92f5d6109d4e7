from __future__ import annotations

from gateway.evaluation.online.names import online_routers
from routers.observations import Summing


def test_all_is_what_learns_by_sums():
    """Each once, with its own options."""
    routers = online_routers(["all", "ema"], None, {})
    names = [one.name for one in routers]

    assert {"cluster_bandit", "ema", "epsilon_greedy", "exp3", "lin_thompson", "lin_ucb", "softmax"} <= set(names)
    assert sorted(set(names)) == sorted(names)
    assert all(isinstance(one.build(), Summing) for one in routers)


def test_an_estimator_explores():
    """A router of the same name comes first."""
    knn, ema = online_routers(["knn", "ema"], None, {})

    assert ("estimating", "epsilon") == (knn.spec["type"], knn.spec["rule"]["type"])
    assert {"type": "ema"} == ema.spec


def test_a_policy_is_taken_as_it_is(tmp_path):
    """With its own rule."""
    (tmp_path / "mine.yaml").write_text("name: mine\nrouter: {type: estimating, estimator: {type: knn}}\n")
    (mine,) = online_routers([str(tmp_path / "mine.yaml")], None, {})

    assert "mine" == mine.name
    assert "rule" not in mine.spec
