from __future__ import annotations

import pytest

from gateway.signals.step import COMPARED, Step
from tests.gateway.signals.bodies import request
from tests.gateway.signals.checks import check_signal
from tests.gateway.signals.test_agent import ANSWER, USER, call, result


def read(*messages):
    return Step().read(request({"messages": list(messages)}), None)


def asking(name, arguments):
    function = {"name": name, "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": name, "type": "function", "function": function}]}


BROKEN = result("a", "Error: no such file")


def test_it_passes_the_battery():
    """What holds for every signal."""
    check_signal(Step())


@pytest.mark.parametrize(
    ("messages", "after"),
    [
        ([USER], "user"),
        ([USER, call("a"), result("a")], "tool"),
        ([USER, ANSWER], "model"),
        ([{"role": "user", "content": [{"type": "tool_result", "content": "1"}]}], "tool"),
        ([{"role": "system", "content": "Be brief."}], None),
        ([], None),
    ],
)
def test_who_spoke_last_is_told(messages, after):
    """The system takes no part."""
    assert after == read(*messages).get("step.after")


def test_the_same_call_again_is_counted():
    """By name and arguments: reading another file is no repetition."""
    same, other = asking("open", '{"path": "a"}'), asking("open", '{"path": "b"}')

    assert 0.0 == read(USER, same)["step.repeats"]
    assert 0.0 == read(USER, same, result("open"), other)["step.repeats"]
    assert 2.0 == read(USER, same, result("open"), same, result("open"), other, result("open"), same)["step.repeats"]


def test_what_was_called_in_another_turn_is_no_repetition():
    """A user who asks again wants it again."""
    same = asking("open", "{}")

    assert 0.0 == read(USER, same, result("open"), ANSWER, USER, same)["step.repeats"]


def test_of_a_long_loop_the_end_is_compared():
    """It stays cheap, however long an agent has been at it."""
    assert COMPARED - 1.0 == read(USER, *[asking("open", "{}")] * (COMPARED + 50))["step.repeats"]


@pytest.mark.parametrize(
    ("messages", "failures"),
    [
        ([USER, call("a")], 0.0),
        ([USER, call("a"), BROKEN], 1.0),
        ([USER, call("a"), BROKEN, call("a"), BROKEN], 2.0),
        ([USER, call("a"), BROKEN, call("b"), result("b")], 0.0),
        ([USER, call("a"), BROKEN, ANSWER, USER], 0.0),
    ],
)
def test_failures_in_a_row_are_counted(messages, failures):
    """One success ends them, and so does the user."""
    assert failures == read(*messages)["step.failures"]


def test_results_since_the_model_last_spoke_are_measured():
    """Several tools may answer at once; what was read before has been read."""
    long = result("a", "word " * 1000)
    two = read(USER, call("a", "b"), long, long)["step.result_tokens"]

    assert 0.0 == read(USER, call("a"), long, ANSWER)["step.result_tokens"]
    assert 900 < read(USER, call("a"), long)["step.result_tokens"] < two < 3000


@pytest.mark.parametrize("odd", [{"function": 5}, {"function": {"name": 5}}, {"custom": {"name": "", "input": 5}}, {}])
def test_calls_that_make_no_sense_are_passed_over(odd):
    """Upstream will say so."""
    assert 0.0 == read(USER, {"role": "assistant", "tool_calls": [odd, odd]})["step.repeats"]
