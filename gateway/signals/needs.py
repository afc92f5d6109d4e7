"""What a model must be able to do to answer a request: what is asked for, and what the history holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gateway.signals.base import Kind
from gateway.signals.request import RESULTS, Prompt, objects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.signals.base import Request
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


#: What a request asks for by members of its body, as OpenAI's API has them: in which, and whether it does.
ASKED: Mapping[str, tuple[tuple[str, ...], Callable[[Body], bool]]] = {
    "tools": (("tools", "functions"), lambda body: bool(objects(body.get("tools")) or objects(body.get("functions")))),
    "json_schema": (("response_format",), _format("json_schema")),
    "json_object": (("response_format",), _format("json_object")),
    "logprobs": (("logprobs",), lambda body: body.get("logprobs") is True),
    "n": (("n",), lambda body: _number(body.get("n")) > 1),
    "audio_output": (("modalities",), lambda body: "audio" in _texts(body.get("modalities"))),
    "prediction": (("prediction",), lambda body: isinstance(body.get("prediction"), dict)),
    "web_search": (("tools", "web_search_options"), _searches),
    "reasoning_effort": (("reasoning_effort", "reasoning"), _reasons),
}
#: The tests, by the members that they read: most requests have none of these.
_TESTS = {
    member: [(need, holds) for need, (members, holds) in ASKED.items() if member in members]
    for members, _ in ASKED.values()
    for member in members
}
#: All needs that there are.
NEEDS = frozenset({*ASKED, *PARTS.values(), "long_context"})
NO_NEEDS: frozenset[str] = frozenset()


def needs_of(body: Body, prompt: Prompt | None = None) -> frozenset[str]:
    """Return what a model must support to answer a request: some of `NEEDS`, without `long_context`.

    `prompt` is what its messages hold, where that is known.
    """
    prompt = prompt or Prompt(body)
    if not prompt.formed and RESULTS.isdisjoint(prompt.roles) and _TESTS.keys().isdisjoint(body):
        return NO_NEEDS
    asked = {need for member in body if member in _TESTS for need, holds in _TESTS[member] if holds(body)}
    parts = {PARTS[kind] for kind in prompt.kinds if kind in PARTS}
    return frozenset(asked | parts | _of_history(prompt))


class Needs:
    """Names what a model must support. The list is empty where nothing out of the ordinary is needed."""

    name = "needs"
    reads_embedding = False
    blocking = False
    provides: ClassVar[Mapping[str, Kind]] = {"needs": Kind.TEXTS}

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return the needs in alphabetical order."""
        prompt = request.prompt
        needs = needs_of(request.body, prompt)
        if prompt.tokens > LONG_CONTEXT_TOKENS:
            needs |= {"long_context"}
        return {"needs": tuple(sorted(needs)) if needs else ()}


def _of_history(prompt: Prompt) -> set[str]:
    needs = {"tool_history"} if prompt.calls or not RESULTS.isdisjoint(prompt.roles) else set()
    for message in prompt.formed:
        if "tool_call_id" in message:
            needs.add("tool_history")
        if not HISTORY.keys().isdisjoint(message) and message.get("role") == "assistant":
            needs.update(need for member, need in HISTORY.items() if message.get(member))
    return needs
