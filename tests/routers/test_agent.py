from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.agent import CUES, Agent
from routers.types import Candidate, Context

POOL = [Candidate("small"), Candidate("large"), Candidate("other")]
AGENT = Agent("small", "large")


def call_of(agent=AGENT, pool=POOL, **features):
    named = {name.replace("__", "."): value for name, value in features.items()}
    return next(agent.plan(Context("", 10, features=named), pool, Random(0)))


def chosen(**features):
    return call_of(**features).candidates[0].model


@pytest.mark.parametrize(
    ("features", "model"),
    [
        ({}, "small"),
        ({"step__after": "tool"}, "small"),
        ({"step__after": "user"}, "large"),
        ({"step__after": "tool", "step__failures": 1.0}, "large"),
        ({"step__after": "tool", "step__repeats": 1.0}, "large"),
        ({"step__after": "tool", "step__result_tokens": 9000.0}, "small"),
        ({"step__after": "tool", "step__result_tokens": 9000.0, "agent__tools_offered": 40.0}, "small"),
        ({"step__after": "user", "task__left_share": 0.5}, "small"),
        ({"step__after": "user", "step__failures": 2.0, "task__left_share": 0.5}, "large"),
        ({"step__after": "user", "step__failures": 2.0, "task__left_share": 0.0}, "small"),
        ({"step__failures": "many"}, "small"),
    ],
)
def test_the_large_model_takes_what_looks_hard_and_can_be_paid_for(features, model):
    """Planning, failures and circles; the less is left, the harder it has to look."""
    assert model == chosen(**features)


def test_independent_cues_add_up():
    """The chance that none of them is right falls with each, and with each time that one is seen."""
    need = AGENT.need({"step.after": "user", "step.failures": 2.0})

    assert need == pytest.approx(1 - 0.4 * 0.3 * 0.3)


FEATURES = st.fixed_dictionaries(
    {},
    optional={
        "step.after": st.sampled_from(["user", "tool", "model"]),
        "step.failures": st.integers(0, 20).map(float),
        "step.repeats": st.integers(0, 300).map(float),
        "step.result_tokens": st.floats(0, 1e6),
        "agent.tools_offered": st.integers(0, 500).map(float),
        "task.left_share": st.floats(0, 1),
    },
)


@given(FEATURES, st.floats(0, 1))
def test_less_money_never_leads_to_the_large_model(features, share):
    """Of two steps that look alike, the poorer one is not the dearer."""
    rich = AGENT.least(features | {"task.left_share": share})
    poor = AGENT.least(features | {"task.left_share": share / 2})

    assert 0.0 <= AGENT.need(features) <= 1.0
    assert 0.5 <= rich <= poor <= 1.0


def test_where_one_of_the_two_is_no_candidate_the_other_takes_the_step():
    """A budget that lets the large model no more, or a rest; the others of the pool are not its business."""
    assert {"other": 0.0, "small": 1.0} == dict(call_of(pool=[POOL[0], POOL[2]], step__after="user").propensities)
    assert {"large": 1.0, "other": 0.0} == dict(call_of(pool=POOL[1:]).propensities)
    with pytest.raises(StopIteration) as end:
        call_of(pool=POOL[2:])
    assert "none of ['other'] may be chosen" in end.value.value.reason


def test_a_floor_lets_the_log_tell_how_the_other_would_have_done():
    """Either keeps that chance, whatever the step looks like."""
    agent = Agent("small", "large", floor=0.1)

    assert {"small": 0.1, "large": 0.9, "other": 0.0} == pytest.approx(call_of(agent, step__after="user").propensities)
    assert {"small": 0.9, "large": 0.1, "other": 0.0} == pytest.approx(call_of(agent).propensities)


def test_a_cue_can_be_weighed_otherwise():
    """The others keep their weights."""
    careless = Agent("small", "large", cues={"opening": 0.0})

    assert 0.0 == careless.need({"step.after": "user"})
    assert CUES["failed"] == pytest.approx(careless.need({"step.failures": 1.0}))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"large": "small"}, "two models"),
        ({"threshold": 2.0}, "threshold"),
        ({"floor": 0.7}, "floor"),
        ({"cues": {"mood": 1.0}}, "no mood; known are opening"),
        ({"cues": {"failed": 7.0}}, r"\[0, 1\]"),
    ],
)
def test_what_makes_no_sense_is_refused(options, problem):
    """With what to write instead."""
    with pytest.raises(ValueError, match=problem):
        Agent(**({"small": "small", "large": "large"} | options))
