from dataclasses import replace

import pytest

from gateway.promises.observed import Observed, observed
from tests.gateway.promises.evidence import promise, request

PROMISE = promise()


def test_the_references_own_answer_is_always_known():
    """It is no worse than itself, whether anybody judged it or not."""
    assert Observed(0.0, 1.0) == observed(request(1, PROMISE, served="large"), "large")


@pytest.mark.parametrize("worse", [True, False])
def test_a_judge_tells_of_another_one(worse):
    """The probability with which it was asked is the comment's."""
    assert Observed(float(worse), 0.25) == observed(request(1, PROMISE, worse=worse, sampled=0.25), "large")


def test_a_preference_is_read_from_either_side():
    """What was said of the reference's answer says the opposite of the other one's."""
    event = request(1, PROMISE, worse=True)
    turned = replace(event.feedback[0], model="large", other="small", value=1.0)

    assert Observed(1.0, 1.0) == observed(replace(event, feedback=(turned,)), "large")


@pytest.mark.parametrize(
    "change",
    [
        {"source": "user"},
        {"comment": None},
        {"comment": "[]"},
        {"comment": "{"},
        {"comment": '{"sampled": 2}'},
        {"other": "third"},
    ],
)
def test_what_was_not_drawn_by_a_known_chance_tells_nothing(change):
    """Nor does a comparison with somebody else."""
    event = request(1, PROMISE, worse=True)

    assert observed(replace(event, feedback=(replace(event.feedback[0], **change),)), "large") is None


def test_an_answer_that_failed_tells_nothing():
    """There is nothing to compare."""
    event = request(1, PROMISE, worse=True)

    assert observed(replace(event, outcome=replace(event.outcome, error="timeout")), "large") is None
    assert observed(replace(event, outcome=None), "large") is None
