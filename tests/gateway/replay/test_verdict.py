from __future__ import annotations

import pytest

from gateway.replay.answer import Answer, Compared, Told
from gateway.replay.requirement import parse_requirement
from gateway.replay.verdict import EXIT, judge, overall
from routers.evaluation.off_policy.overlap import Overlap

SEEN = Overlap(1000, 1000, 500.0, 2.0, 0.0)


def answers(low, high, *refused):
    """Return an answer about cost whose relative change has that interval."""
    told = Told((low + high) / 2, (low, high))
    return {"cost": Answer("cost", SEEN, refused, 1.0, told, {"dr": Compared(told, told, told, told)})}


@pytest.mark.parametrize(
    ("found", "status", "code"),
    [
        (answers(-0.3, -0.2), "met", 0),
        (answers(-0.3, 0.1), "open", 3),
        (answers(0.1, 0.2), "broken", 3),
        (answers(-0.3, -0.2, "not enough data"), "no evidence", 4),
        ({}, "no evidence", 4),
    ],
)
def test_the_worse_end_of_the_interval_decides(found, status, code):
    """What is open is not met; what is refused is neither."""
    judged = judge(parse_requirement("cost<-10%"), found, "dr")

    assert status == overall(judged)
    assert code == EXIT[overall(judged)]


def test_what_is_broken_stays_so():
    """Whatever else is not known."""
    judged = judge(parse_requirement("cost<-10% and quality>0"), answers(0.1, 0.2), "dr")

    assert ["broken", "no evidence"] == [one.status for one in judged]
    assert "broken" == overall(judged)


def test_without_an_interval_nothing_is_shown():
    """As of the direct method."""
    told = Told(-0.5, None)
    found = {"cost": Answer("cost", SEEN, (), 1.0, told, {"direct": Compared(told, told, told, told)})}

    assert "no evidence" == overall(judge(parse_requirement("cost<-10%"), found, "direct"))


def test_nothing_required_is_met():
    """The replay is to be read, then."""
    assert "met" == overall([])
