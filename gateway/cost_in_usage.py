"""The cost of an answer in its usage, as `usage.cost` (USD) and `usage.cost_source`, for clients that ask for it.

The name `cost` is OpenRouter's. Where the endpoint reports no usage, the gateway's estimate is given, and says so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.charging import produced_tokens
from providers.sse import event_data

if TYPE_CHECKING:
    from gateway.charging import Charge
    from providers.types import Reply


#: The data of the event that ends a stream.
DONE = b"[DONE]"


def costed(body: bytes, charged: Charge, reply: Reply, prompt_tokens: int) -> bytes:
    """Return a whole answer with its cost."""
    answer = json.loads(body)
    if not isinstance(answer.get("usage"), dict):
        answer["usage"] = _estimated(reply, prompt_tokens)
    return json.dumps({**answer, "usage": {**answer["usage"], **_members(charged)}}).encode()


def costed_event(event: bytes, charged: Charge) -> bytes | None:
    """Return the event of a stream that reports the usage, with the cost; None for any other event."""
    payload = event_data(event)
    if payload is None or b'"usage"' not in payload:
        return None
    chunk = json.loads(payload)
    if chunk.get("choices") or not isinstance(chunk.get("usage"), dict):
        return None
    return _event({**chunk, "usage": {**chunk["usage"], **_members(charged)}})


def cost_event(charged: Charge, reply: Reply, prompt_tokens: int) -> bytes:
    """Return an event that reports the cost of a stream whose endpoint reports no usage."""
    usage = {**_estimated(reply, prompt_tokens), **_members(charged)}
    return _event({"object": "chat.completion.chunk", "choices": [], "usage": usage})


def _members(charged: Charge) -> dict[str, Any]:
    """Return the cost's members; an unknown cost is null, and never zero."""
    return {"cost": None if charged.usd is None else float(charged.usd), "cost_source": charged.source}


def _estimated(reply: Reply, prompt_tokens: int) -> dict[str, int]:
    completion_tokens = produced_tokens(reply)
    total = prompt_tokens + completion_tokens
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total}


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"
