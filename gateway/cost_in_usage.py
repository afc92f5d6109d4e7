"""The cost of an answer in its usage, as `usage.cost` (USD) and `usage.cost_source`, for clients that ask for it.

The name `cost` is OpenRouter's. Where the endpoint reports no usage, the gateway's estimate is given, and says so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from gateway.charging import produced_tokens
from providers.sse import DONE, event_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.charging import Charge
    from providers.types import Reply


class CostOfStream:
    """Adds the cost to a stream: where it reports the usage, or in a further event before its end. Told once.

    `charged` returns what the stream costs so far.
    """

    def __init__(self, reply: Reply, prompt_tokens: int, charged: Callable[[], Charge]) -> None:
        self._reply = reply
        self._prompt_tokens = prompt_tokens
        self._charged = charged
        self._told = False

    def added(self, events: Sequence[bytes]) -> Sequence[bytes]:
        """Return events, and with them what there is to tell."""
        if self._told or not any(b'"usage"' in event or DONE in event for event in events):
            return events
        return [one for event in events for one in self._added(event)]

    def _added(self, event: bytes) -> Iterator[bytes]:
        payload = None if self._told else event_data(event)
        if payload == DONE:
            self._told = True
            usage = {**_estimated(self._reply, self._prompt_tokens), **_members(self._charged())}
            yield _event({"object": "chat.completion.chunk", "choices": [], "usage": usage})
        elif payload is not None and (chunk := _usage_chunk(payload)) is not None:
            self._told = True
            event = _event({**chunk, "usage": {**chunk["usage"], **_members(self._charged())}})
        yield event


def costed(body: bytes, charged: Charge, reply: Reply, prompt_tokens: int) -> bytes:
    """Return a whole answer with its cost."""
    answer = json.loads(body)
    if not isinstance(answer.get("usage"), dict):
        answer["usage"] = _estimated(reply, prompt_tokens)
    return json.dumps({**answer, "usage": {**answer["usage"], **_members(charged)}}).encode()


def _usage_chunk(payload: bytes) -> dict[str, Any] | None:
    """Return the chunk of a stream that reports the usage; None for any other event."""
    if b'"usage"' not in payload:
        return None
    chunk = json.loads(payload)
    if chunk.get("choices") or not isinstance(chunk.get("usage"), dict):
        return None
    return cast("dict[str, Any]", chunk)


def _members(charged: Charge) -> dict[str, Any]:
    """Return the cost's members; an unknown cost is null, and never zero."""
    return {"cost": None if charged.usd is None else float(charged.usd), "cost_source": charged.source}


def _estimated(reply: Reply, prompt_tokens: int) -> dict[str, int]:
    completion_tokens = produced_tokens(reply)
    total = prompt_tokens + completion_tokens
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total}


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"
