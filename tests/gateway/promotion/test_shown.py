from __future__ import annotations

import json
from dataclasses import replace

from gateway.cli.promotion_lines import lines
from gateway.promotion.shown import budget_problem, shown
from gateway.promotion.types import Limit, Stage
from routers.sums import Sums
from tests.gateway.promotion.evidence import RULES, evidence, standing


def test_an_operator_sees_state_numbers_and_what_is_left():
    """As JSON, and in words."""
    where = standing()
    found = shown(RULES, where, evidence(where, 400, fails=(0.05, 0.05)))
    said = "\n".join(lines(found))

    assert json.loads(json.dumps(found)) == found
    assert ("ramp", 0.5, 400) == (found["state"], found["share"], found["requests"])
    assert "auto: next@1 is ramp, 50% of the requests" in said
    assert "requests: 400 of 50000" in said
    assert "points, certainly between" in said
    assert found["tests"]["cost"]["requests_left"] > 100


def test_what_has_not_begun_or_is_over_has_no_numbers():
    """Of another version's standing nothing is told."""
    for where in (None, standing("live", 1.0), standing(version="next@0")):
        found = shown(RULES, where, Sums())
        assert "tests" not in found
        assert 2 == len(list(lines(found)))
    assert "none" == shown(RULES, standing(version="next@0"), Sums())["state"]


def test_before_anything_was_seen_everything_is_possible():
    """Numbers that are not known are said to be unknown."""
    found = shown(RULES, standing(), Sums())
    said = "\n".join(lines(found))

    assert found["tests"]["errors"]["interval"] == [None, None]
    assert "unknown (0) for unknown (0); margin +10.00 points" in said


def test_a_budget_is_checked_against_what_is_needed():
    """Small margins take many requests; a promotion that serves nothing on trial takes none."""
    small = replace(RULES, limits=(Limit("quality", 0.01),))

    assert budget_problem(RULES) is None
    assert "whether quality is within its margin: at a share of 50%" in budget_problem(small)
    assert budget_problem(replace(small, stages=(Stage("shadow", 0.0), Stage("live", 1.0)))) is None
