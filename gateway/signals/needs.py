"""What a model must be able to do to answer a request: what is asked for, and what the history holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gateway.signals.base import Kind
from gateway.signals.request import calls_of, estimate_prompt_tokens, kinds_of_parts, messages_of, objects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.signals.base import Request
    from gateway.signals.request import Message
    from routers.types import Feature, FloatArray

    Body = Mapping[str, Any]

#: A prompt of more tokens needs a model that is made for long ones: most windows are larger than this today.
LONG_CONTEXT_TOKENS = 128_000
#: What each type of a content part needs.
PARTS = {
    "image_url": "vision",
    "input_image": "vision",
    "image": "vision",
    "input_audio": "audio",
    "file": "file",
    "input_file": "file",
    "document": "file",
    "thinking": "thinking_history",
    "redacted_thinking": "thinking_history",
    "reasoning": "thinking_history",
    "tool_use": "tool_history",
    "tool_result": "tool_history",
    "refusal": "refusal",
}
#: What members of an assistant's message need. Thoughts are of use only to the model, or the provider, that wrote them.
HISTORY = {
    "reasoning_content": "thinking_history",
    "reasoning": "thinking_history",
    "reasoning_details": "thinking_history",
    "thinking_blocks": "thinking_history",
    "refusal": "refusal",
    "audio": "audio",
}


def _searches(body: Body) -> bool:
    kinds = (tool.get("type") for tool in objects(body.get("tools")))
    return isinstance(body.get("web_search_options"), dict) or any(
        isinstance(kind, str) and kind.startswith("web_search") for kind in kinds
    )


def _reasons(body: Body) -> bool:
    effort = body.get("reasoning_effort", _member(body, "reasoning").get("effort"))
    return isinstance(effort, str) and effort not in ("", "none")


def _member(body: Body, name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0


def _texts(value: object) -> list[str]:
    return [member for member in value if isinstance(member, str)] if isinstance(value, list) else []


def _format(kind: str) -> Callable[[Body], bool]:
    return lambda body: _member(body, "response_format").get("type") == kind


#: What a request asks for by a member of its body, as OpenAI's API has it.
ASKED: Mapping[str, Callable[[Body], bool]] = {
    "tools": lambda body: bool(objects(body.get("tools")) or objects(body.get("functions"))),
    "json_schema": _format("json_schema"),
    "json_object": _format("json_object"),
    "logprobs": lambda body: body.get("logprobs") is True,
    "n": lambda body: _number(body.get("n")) > 1,
    "audio_output": lambda body: "audio" in _texts(body.get("modalities")),
    "prediction": lambda body: isinstance(body.get("prediction"), dict),
    "web_search": _searches,
    "reasoning_effort": _reasons,
}
#: All needs that there are.
NEEDS = frozenset({*ASKED, *PARTS.values(), "long_context"})


def needs_of(body: Body) -> frozenset[str]:
    """Return what a model must support to answer a request: some of `NEEDS`, without `long_context`."""
    messages = messages_of(body)
    asked = {need for need, holds in ASKED.items() if holds(body)}
    parts = {PARTS[kind] for kind in kinds_of_parts(messages) if kind in PARTS}
    return frozenset(asked | parts | _of_history(messages))


class Needs:
    """Names what a model must support. The list is empty where nothing out of the ordinary is needed."""

    name = "needs"
    reads_embedding = False
    blocking = False
    provides: ClassVar[Mapping[str, Kind]] = {"needs": Kind.TEXTS}

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return the needs in alphabetical order."""
        needs = set(needs_of(request.body))
        if estimate_prompt_tokens(request.body) > LONG_CONTEXT_TOKENS:
            needs.add("long_context")
        return {"needs": tuple(sorted(needs))}


def _of_history(messages: list[Message]) -> set[str]:
    needs: set[str] = set()
    # A message of a role and a content alone tells nothing more, and there may be hundreds of them.
    for message in (message for message in messages if len(message) > len(("role", "content"))):
        if calls_of(message) or "tool_call_id" in message:
            needs.add("tool_history")
        if message.get("role") == "assistant":
            needs.update(need for member, need in HISTORY.items() if message.get(member))
    roles = {role for message in messages if isinstance(role := message.get("role"), str)}
    return needs | ({"tool_history"} if roles & {"tool", "function"} else set())
