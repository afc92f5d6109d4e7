"""The shape of a conversation: how many turns it has, how long what went before is, and how the answer is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from gateway.signals.request import Message, Prompt
    from routers.types import Feature, FloatArray

#: The roles of messages that the application wrote.
SYSTEM = frozenset({"system", "developer"})


class ConversationContext:
    """Counts turns and their tokens, and says what the answer is to be like. All of it is always known but `effort`.

    `turns` are messages of any role. `history_tokens` is all before the last user turn, the system prompt included,
    0 where there is no user turn.
    """

    name = "context"
    reads_embedding = False
    blocking = False
    provides: ClassVar[Mapping[str, Kind]] = {
        "turns": Kind.NUMBER,
        "user_turns": Kind.NUMBER,
        "history_tokens": Kind.NUMBER,
        "system_tokens": Kind.NUMBER,
        "stream": Kind.TRUTH,
        "tools": Kind.TRUTH,
        "images": Kind.TRUTH,
        "structured": Kind.TRUTH,
        "effort": Kind.TEXT,
    }

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return what the request's form tells."""
        body, prompt = request.body, request.prompt
        history_tokens = float(round(prompt.history_tokens))
        system = "" if SYSTEM.isdisjoint(prompt.roles) else _system(prompt)
        # Often the system prompt is all that there is before the first user turn.
        is_history = prompt.users == [1] and system is prompt.said[0]
        features: dict[str, Feature] = {
            "turns": float(len(prompt.messages)),
            "user_turns": float(len(prompt.users)),
            "history_tokens": history_tokens,
            "system_tokens": history_tokens if is_history else float(round(prompt.estimate(system))),
            "stream": body.get("stream") is True,
            "tools": bool(body.get("tools")),
            "images": "image_url" in prompt.kinds,
            "structured": isinstance(body.get("response_format"), dict),
        }
        if ("reasoning" in body or "reasoning_effort" in body) and (effort := _effort(body)):
            features["effort"] = effort
        return features


def _system(prompt: Prompt) -> str:
    """Return the texts that the application wrote."""
    return "\n".join([text for text, message in zip(prompt.said, prompt.messages, strict=True) if _is_system(message)])


def _is_system(message: Message) -> bool:
    role = message.get("role")
    return isinstance(role, str) and role in SYSTEM


def _effort(body: Mapping[str, Any]) -> str | None:
    """Return the effort asked for: a member of its own, or of `reasoning`, as some endpoints have it."""
    reasoning = body.get("reasoning")
    nested = reasoning.get("effort") if isinstance(reasoning, dict) else None
    asked = body.get("reasoning_effort", nested)
    return asked if isinstance(asked, str) and asked else None
