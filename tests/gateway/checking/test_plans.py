from __future__ import annotations

import pytest

from tests.gateway.checking.test_check import messages, write

JUDGED = {"gate": {"type": "judge", "model": "large"}, "router": {"type": "cheapest"}}
EXPECTING = {"router": {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy"}}}


@pytest.mark.parametrize(
    ("router", "most", "asked"),
    [
        ({"type": "cascade", **JUDGED}, 1, 2),
        ({"type": "best_of", "size": 4, **JUDGED}, 1, 2),
        ({"type": "panel", "size": 2, **EXPECTING}, 1, 2),
        ({"type": "tiers", **EXPECTING}, 1, 2),
        ({"type": "probe_expand", **EXPECTING}, 2, 3),
        ({"type": "self_consistency", "samples": 9, "router": {"type": "cheapest"}}, 8, 9),
    ],
)
def test_a_plan_needs_as_many_calls_as_it_asks_for_answers(tmp_path, router, most, asked):
    """With fewer it never comes to what it is for; with as many, nothing is found."""
    found = messages(write(tmp_path, router=router, limits={"max_calls": most}))
    few = [one for one in found if "max_calls" in one]

    assert 1 == len(few)
    assert f"lets a plan make {most} calls, and this one asks for {asked} answers" in few[0]
    assert not [one for one in messages(write(tmp_path, router=router, limits={"max_calls": asked})) if "calls" in one]


def test_who_asks_once_needs_one_call(tmp_path):
    """A router that makes a single call is no plan of several."""
    assert [] == messages(write(tmp_path, limits={"max_calls": 1}))
