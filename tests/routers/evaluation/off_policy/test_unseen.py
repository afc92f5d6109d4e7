from __future__ import annotations

import numpy as np
import pytest

from routers.evaluation.off_policy.ips import ips
from routers.evaluation.off_policy.snips import snips
from tests.off_policy_samples import sample


@pytest.mark.parametrize("estimate", [ips, snips])
def test_a_dear_choice_that_was_not_drawn_widens_the_interval(estimate):
    """One request in ten would cost a hundred times as much, and luck has kept all of them out of the log."""
    rows = np.arange(200)
    rare = (rows % 10 == 0)[:, None]
    target = np.where(rare, [0.0, 1.0], [1.0, 0.0])
    logged, values = np.array([0.99, 0.01]), 1 + 0.1 * (rows % 2)
    blind = sample(target, logged, np.zeros(200, int), values, expected=[1.0, 1.0])
    knowing = sample(target, logged, np.zeros(200, int), values, expected=[1.0, 100.0])

    assert estimate(knowing).error > 10 * estimate(blind).error
    assert estimate(knowing).value == estimate(blind).value


def test_what_was_drawn_speaks_for_itself():
    """Where every choice was drawn, what came of it varies more than what is expected."""
    rng = np.random.default_rng(0)
    actions = rng.integers(0, 2, 1000)
    of = sample([0.7, 0.3], [0.5, 0.5], actions, actions + rng.normal(size=1000), expected=[0.0, 1.0])

    assert snips(of).least < snips(of).error
