import pytest

from routers.drive import drive
from routers.types import Answer, Call, Candidate, Finish

A, B = Candidate("a"), Candidate("b")


def ladder():
    """Try a, then b; finish with the second."""
    (_,) = yield Call((A,), {"a": 1.0, "b": 0.0}, "first")
    (answer,) = yield Call((B,), {"a": 0.0, "b": 1.0}, "second")
    return Finish(answer)


def endless():
    """Never be content."""
    while True:
        yield Call((A,), {"a": 1.0}, "again")


def test_answers_every_call_until_the_end():
    """The calls come back in order, and the finish."""
    calls, finish = drive(ladder(), Answer)

    assert (["first", "second"], B) == ([call.why for call in calls], finish.answer.candidate)


def test_endless_plan_is_an_error():
    """It is stopped, and its last call named."""
    with pytest.raises(RuntimeError, match="100 calls; the last was 'again'"):
        drive(endless(), Answer)
