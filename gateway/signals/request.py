"""What a request says of itself: the text that is routed by, and how long it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

#: Bytes of UTF-8 for a token, about: an estimate for choosing, never for billing.
BYTES_PER_TOKEN = 4
#: Tokens that the form of a message costs, about.
TOKENS_PER_MESSAGE = 4
#: Tokens of an image of middling size and detail, about.
TOKENS_PER_IMAGE = 765


def last_user_text(body: Mapping[str, Any]) -> str:
    """Return the text of the last user turn; of the last message where there is no user turn.

    Earlier turns and the system prompt are left out: they are alike in all requests of one application.
    """
    messages = [message for message in body.get("messages", ()) if isinstance(message, Mapping)]
    turns = [message for message in messages if message.get("role") == "user"] or messages
    return "\n".join(_texts(turns[-1].get("content"))) if turns else ""


def estimate_prompt_tokens(body: Mapping[str, Any]) -> int:
    """Return about how many tokens a request's prompt has: its texts, its tools and its images."""
    messages = [message for message in body.get("messages", ()) if isinstance(message, Mapping)]
    texts = [text for message in messages for text in _texts(message.get("content"))]
    if tools := body.get("tools"):
        texts.append(json.dumps(tools))
    size = sum(len(text.encode(errors="replace")) for text in texts)
    images = sum(_count_parts(message.get("content"), "image_url") for message in messages)
    return size // BYTES_PER_TOKEN + TOKENS_PER_MESSAGE * len(messages) + TOKENS_PER_IMAGE * images


def request_features(body: Mapping[str, Any]) -> dict[str, float | str | bool]:
    """Return what the request's form tells, for the log and for routers."""
    messages = [message for message in body.get("messages", ()) if isinstance(message, Mapping)]
    return {
        "turns": float(len(messages)),
        "tools": bool(body.get("tools")),
        "images": any(_count_parts(message.get("content"), "image_url") for message in messages),
        "structured": isinstance(body.get("response_format"), Mapping),
        "stream": body.get("stream") is True,
    }


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    if not isinstance(content, Sequence):
        return []
    parts = (part for part in content if isinstance(part, Mapping))
    return [part["text"] for part in parts if isinstance(part.get("text"), str)]


def _count_parts(content: object, kind: str) -> int:
    if isinstance(content, str) or not isinstance(content, Sequence):
        return 0
    return sum(isinstance(part, Mapping) and part.get("type") == kind for part in content)
