"""Simulated promotions, few and small: benchmarks/promotion.py runs hundreds of the real size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.promotion import RULES, Scenario, simulate
from gateway.promotion.types import Limit, Stage

SMALL = replace(
    RULES,
    stages=(Stage("canary", 0.2), Stage("ramp", 0.5), Stage("live", 1.0)),
    limits=(Limit("quality", 0.2), Limit("errors", 0.1), Limit("cost", 1.0)),
    min_requests=50,
    within=3000,
)
LOOK = 50


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario("quality", rolled_back=True, quality=-0.2),
        Scenario("errors", rolled_back=True, errors=0.1),
        Scenario("cost", rolled_back=True, cost=1.0),
    ],
    ids=lambda scenario: scenario.name,
)
def test_regressions_are_rolled_back_within_the_budget(scenario):
    """Of ten runs with a regression as large as the margin, at least nine."""
    ends = [simulate(scenario, SMALL, seed, LOOK).state for seed in range(10)]

    assert ends.count("rolled_back") >= 9


def test_what_is_no_worse_is_left_in_peace():
    """Of twenty runs without a difference, looked at after every fifty requests, at most two go back; the others rise."""
    ends = [simulate(Scenario("none", rolled_back=False), SMALL, seed, LOOK).state for seed in range(20)]

    assert ends.count("rolled_back") <= 2
    assert ends.count("live") >= 17
