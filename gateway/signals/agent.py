"""Where an agent stands: how many rounds of tools it has made, and what came of the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gateway.signals._failure import failed
from gateway.signals.base import Kind
from gateway.signals.request import RESULTS, calls_of, objects, texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from gateway.signals.request import Message
    from routers.types import Feature, FloatArray


class Agent:
    """Reads the rounds of tool calls since the last user turn.

    `agent.tool` and `agent.last_tool_failed` are left out where none was called, or has answered. Whether it failed is
    a guess by what the result looks like.
    """

    name = "agent"
    reads_embedding = False
    blocking = False
    provides: ClassVar[Mapping[str, Kind]] = {
        "agent.step": Kind.NUMBER,
        "agent.loop_open": Kind.TRUTH,
        "agent.last_tool_failed": Kind.TRUTH,
        "agent.tool": Kind.TEXT,
        "agent.tools_offered": Kind.NUMBER,
    }

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return what the messages since the last user turn tell."""
        body = request.body
        offers = "tools" in body or "functions" in body
        offered = len(objects(body.get("tools"))) + len(objects(body.get("functions"))) if offers else 0
        if not (loop := since_user(request.prompt.messages)):  # as in each turn that is the user's own
            return {"agent.step": 0.0, "agent.loop_open": False, "agent.tools_offered": float(offered)}
        rounds = [calls for message in loop if (calls := calls_of(message))]
        result = next((message for message in reversed(loop) if is_result(message)), None)
        features: dict[str, Feature] = {
            "agent.step": float(len(rounds)),
            "agent.loop_open": _open(loop),
            "agent.tools_offered": float(offered),
        }
        if rounds and (tool := _name(rounds[-1][-1])):
            features["agent.tool"] = tool
        if result is not None:
            features["agent.last_tool_failed"] = has_failed(result)
        return features


def since_user(messages: list[Message]) -> list[Message]:
    """Return the messages after the last user turn; all where there is none."""
    for number in range(len(messages) - 1, -1, -1):
        message = messages[number]
        # A user's turn that is a plain text, as nearly all are, brings no result.
        if message.get("role") == "user" and (isinstance(message.get("content"), str) or not is_result(message)):
            return messages[number + 1 :]
    return messages


def is_result(message: Message) -> bool:
    """Tell whether a message brings the result of a tool."""
    role = message.get("role")
    return (isinstance(role, str) and role in RESULTS) or bool(_result_parts(message))


def _result_parts(message: Message) -> list[Message]:
    """Return the results in a user's message, where Anthropic's API has them."""
    # This is asked of every message, and most contents are plain texts.
    if isinstance(content := message.get("content"), str):
        return []
    return [part for part in objects(content) if part.get("type") == "tool_result"]


def _open(loop: list[Message]) -> bool:
    """Tell whether the last message is a result, or a call has none yet."""
    last = next((n for n in range(len(loop) - 1, -1, -1) if calls_of(loop[n])), None)
    if is_result(loop[-1]) or last is None:
        return is_result(loop[-1])
    called = {_identifier(call, "id") for call in calls_of(loop[last])}
    answered = {_identifier(message, "tool_call_id") for message in loop[last + 1 :] if is_result(message)}
    return not called <= answered


def _identifier(value: Mapping[str, Any], member: str) -> str:
    identifier = value.get(member)
    return identifier if isinstance(identifier, str) else ""


def _name(call: Message) -> str | None:
    function = call.get("function") or call.get("custom")
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) and name else None


def texts_of_result(result: Message) -> list[str]:
    """Return the texts that the result of a tool brings."""
    return [text for part in (result, *_result_parts(result)) for text in texts_of(part.get("content"))]


def has_failed(result: Message) -> bool:
    """Tell whether the result of a tool looks like a failure."""
    if any(part.get("is_error") is True for part in (result, *_result_parts(result))):
        return True
    return any(map(failed, texts_of_result(result)))
