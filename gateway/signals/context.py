"""The shape of a conversation: how many turns it has, how long what went before is, and how the answer is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gateway.signals.base import Kind
from gateway.signals.request import is_user, kinds_of_parts, messages_of, text_of
from gateway.signals.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from gateway.signals.request import Message
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
        body, messages = request.body, messages_of(request.body)
        users = [number for number, message in enumerate(messages) if is_user(message)]
        history = messages[: users[-1]] if users else []
        features: dict[str, Feature] = {
            "turns": float(len(messages)),
            "user_turns": float(len(users)),
            "history_tokens": _tokens(history),
            "system_tokens": _tokens([message for message in messages if _is_system(message)]),
            "stream": body.get("stream") is True,
            "tools": bool(body.get("tools")),
            "images": "image_url" in kinds_of_parts(messages),
            "structured": isinstance(body.get("response_format"), dict),
        }
        if effort := _effort(body):
            features["effort"] = effort
        return features


def _is_system(message: Message) -> bool:
    role = message.get("role")
    return isinstance(role, str) and role in SYSTEM


def _tokens(messages: list[Message]) -> float:
    return float(round(estimate_tokens("\n".join(map(text_of, messages)))))


def _effort(body: Mapping[str, Any]) -> str | None:
    """Return the effort asked for: a member of its own, or of `reasoning`, as some endpoints have it."""
    reasoning = body.get("reasoning")
    nested = reasoning.get("effort") if isinstance(reasoning, dict) else None
    asked = body.get("reasoning_effort", nested)
    return asked if isinstance(asked, str) and asked else None
