from __future__ import annotations

import pytest

from gateway.signals._failure import failed
from gateway.signals.agent import Agent
from tests.gateway.signals.bodies import request
from tests.gateway.signals.checks import check_signal

USER = {"role": "user", "content": "What is the weather like?"}
ANSWER = {"role": "assistant", "content": "Fine."}


def call(*names):
    calls = [{"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}} for name in names]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(name, content="done"):
    return {"role": "tool", "tool_call_id": name, "content": content}


def read(*messages, **body):
    return Agent().read(request({"messages": list(messages), **body}), None)


def test_it_passes_the_battery():
    """What holds for every signal."""
    check_signal(Agent())


@pytest.mark.parametrize(
    ("messages", "step", "is_open", "tool"),
    [
        ([], 0.0, False, None),
        ([USER], 0.0, False, None),
        ([USER, call("a")], 1.0, True, "a"),
        ([USER, call("a"), result("a")], 1.0, True, "a"),
        ([USER, call("a"), result("a"), call("b", "c"), result("b")], 2.0, True, "c"),
        ([USER, call("b", "c"), result("b"), ANSWER], 1.0, True, "c"),
        ([USER, call("a"), result("a"), ANSWER], 1.0, False, "a"),
        ([USER, call("a"), result("a"), ANSWER, USER], 0.0, False, None),
        ([USER, {"role": "assistant", "function_call": {"name": "old"}}], 1.0, True, "old"),
        (
            [USER, {"role": "assistant", "function_call": {"name": "old"}}, {"role": "function", "content": "1"}],
            1.0,
            True,
            "old",
        ),
        ([USER, {"role": "user", "content": [{"type": "tool_result", "content": "1"}]}], 0.0, True, None),
        ([USER, {"role": "assistant", "tool_calls": [{"function": 5}]}], 1.0, True, None),
    ],
)
def test_rounds_since_the_last_user_turn_are_counted(messages, step, is_open, tool):
    """What came before it is another task."""
    features = read(*messages)

    assert (step, is_open, tool) == (features["agent.step"], features["agent.loop_open"], features.get("agent.tool"))


def test_tools_are_counted():
    """Those that are offered, called or not."""
    assert read(USER, tools=[{}, {}])["agent.tools_offered"] == 2.0
    assert read(USER, functions=[{}])["agent.tools_offered"] == 1.0


def test_without_a_result_nothing_has_failed_or_succeeded():
    """It is left out."""
    assert "agent.last_tool_failed" not in read(USER, call("a"))


def test_the_last_result_counts():
    """An error that was overcome is past."""
    messages = [USER, call("a"), result("a", "Error: no such city"), call("b"), result("b", "4 degrees")]

    assert read(*messages)["agent.last_tool_failed"] is False
    assert read(*messages[:3])["agent.last_tool_failed"] is True


@pytest.mark.parametrize(
    "message",
    [
        {**result("a"), "is_error": True},
        {"role": "user", "content": [{"type": "tool_result", "is_error": True, "content": "no"}]},
        {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "Error: no"}]}]},
        result("a", [{"type": "text", "text": '{"error": "no"}'}]),
    ],
)
def test_failures_are_found_in_every_form_of_a_result(message):
    """A mark of its own, a list of parts, or a user's message as Anthropic's API has it."""
    assert read(USER, call("a"), message)["agent.last_tool_failed"] is True


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Error: file not found",
            "error: x",
            "Error",
            "  \n Error: x",
            "Error - no",
            "**Error**: x",
            "[ERROR] x",
            "# Error: x",
        ),
        *(
            "ERROR 1045 (28000): Access denied",
            "Error while calling the tool",
            "Unexpected error: x",
            "Exception: x",
            "failed",
        ),
        *(
            "Traceback (most recent call last):\n File",
            "ValueError: bad",
            "requests.exceptions.HTTPError: 404 Not Found",
        ),
        *("<error>x</error>", "<tool_use_error>x", "fatal: not a git repository", "npm ERR! x", "Failed to open file"),
        *("exit code 1", "Exit code: 127\nbash: x", "Command failed with exit code 3", "process exited with code 3"),
        *(
            "HTTP 500",
            "HTTP/1.1 404 Not Found",
            "Permission denied",
            "bash: foo: command not found",
            "Request timed out",
        ),
        *(
            '{"error": "no"}',
            '{"error": {"message": "x"}}',
            '{"errors": ["x"]}',
            '{"exception": "x"}',
            '{"isError": true}',
        ),
        *(
            '{"success": false}',
            '{"ok": false}',
            '{"exit_code": 2}',
            '{"returncode": -9}',
            '{"status": 404}',
            '{"status_code": 500}',
        ),
        *(
            '{"status": "error"}',
            '{"status": "FAILED"}',
            ' {"error": "no"}',
            '{"error": "cut off here'[:0] + "Error: cut",
        ),
    ],
)
def test_what_looks_like_a_failure_is_one(text):
    """By the members of JSON, or by how a text begins."""
    assert failed(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "done", "0 errors", "No errors found", "Errors: 0", "12 passed, 0 failed", "Temperature: -5"),
        *(
            "Error handling is described below",
            "error_log.txt\nb.txt",
            "Error rate: 0.1%",
            "Exceptions are listed below",
        ),
        *("The function raises ValueError: when", "Failed login attempts: 3", "Fatality rates by year", "no such luck"),
        *(
            "Exit code: 0\ndone",
            "exit code 0",
            "Process exited with code 0",
            "Command failed with exit code 0",
            "HTTP 200 OK",
        ),
        *(
            '{"error": null}',
            '{"error": ""}',
            '{"error": false}',
            '{"error": "none"}',
            '{"errors": []}',
            '{"success": true}',
        ),
        *(
            '{"exit_code": 0}',
            '{"status": 200}',
            '{"status": "ok"}',
            '{"status": true}',
            '{"code": 404}',
            '{"text": "Error: x"}',
        ),
        *("{error", "\ud800", "{" * 5000),
    ],
)
def test_what_only_speaks_of_errors_is_none(text):
    """A page about errors has been read without one."""
    assert not failed(text)
