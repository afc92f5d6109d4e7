"""An answer that was heard out before anybody was told of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.implicit.answer import Gathered
from gateway.signals.request import objects
from providers.adapters.openai import OpenAIAdapter
from providers.sse import event_data
from providers.strict_json import parse
from providers.types import Decoded
from routers.types import Answer, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from gateway.dispatch import Dispatched
    from gateway.errors import GatewayError
    from gateway.events import MadeCall
    from providers.types import ChatRequest, Produced, Reply, Sink, Usage
    from routers.types import Call, Candidate


class HeardReply:
    """A complete answer: the pieces in which it came, for the client that gets it after all."""

    #: The pieces may be others than the reply's own.
    answer = None

    def __init__(self, reply: Reply, pieces: Sequence[bytes], *, streams: bool) -> None:
        self.status = reply.status
        self.headers: Mapping[str, str] = reply.headers
        self.streams = streams
        self.settled = reply.settled
        self._reply = reply
        self._pieces = pieces

    @property
    def usage(self) -> Usage | None:
        """Return the usage, if the endpoint reported it."""
        return self._reply.usage

    @property
    def finish_reason(self) -> str | None:
        """Return the reason that the model gave for stopping."""
        return self._reply.finish_reason

    def produced(self) -> Produced:
        """Return what the endpoint has said."""
        return self._reply.produced()

    async def pour(self, sink: Sink) -> bool:
        """Give the pieces, which are all there."""
        pieces, self._pieces = self._pieces, ()
        return bool(pieces and sink(pieces))

    async def aclose(self) -> None:
        """Do nothing: the connection was given back when the answer had come."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A call that has come to its end, as the plan is told of it.

    `took_usd` is what it took: at most, where that is not known. `made` is how it is logged, `failure` why nobody
    answered. `pieces` are the answer as it came.
    """

    call: Call
    answer: Answer
    took_usd: Decimal
    made: MadeCall | None
    failure: GatewayError | None
    dispatched: Dispatched | None
    pieces: Sequence[bytes]

    @property
    def good(self) -> bool:
        """Tell whether it was answered."""
        return self.answer.error is None

    def replied(self, text: str | None, chat: ChatRequest) -> Dispatched:
        """Return it as an answer to relay, in the form that the client asked for; a `text` stands in for its own."""
        if self.dispatched is None:
            raise RuntimeError(f"nobody answered the call {self.call.why!r}")
        reply = self.dispatched.reply
        pieces = self.pieces if text is None else with_text(self.pieces, text, streams=reply.streams)
        if chat.stream and not reply.streams:
            decoded = Decoded(b"".join(pieces), reply.usage, reply.finish_reason)
            pieces = OpenAIAdapter().as_events(decoded, chat)
        self.dispatched.reply = HeardReply(reply, pieces, streams=chat.stream)
        return self.dispatched


def read(
    candidate: Candidate, reply: Reply, pieces: Sequence[bytes], cost_usd: float | None, latency_s: float
) -> Answer:
    """Return what a plan is told of an answer; one that cannot be read is an error."""
    gathered = Gathered()
    for piece in pieces:
        (gathered.event if reply.streams else gathered.whole)(piece)
    choices = gathered.choices()
    if not choices:
        return Answer(candidate, error="unreadable", cost_usd=cost_usd, latency_s=latency_s)
    first = choices[0]
    return Answer(
        candidate,
        text=first.text,
        tool_calls=tuple(ToolCall(call.name, call.arguments) for call in first.calls),
        finish_reason=first.finish_reason or reply.finish_reason,
        refusal=first.refused,
        logprobs=_logprobs(pieces, streams=reply.streams),
        cost_usd=cost_usd,
        latency_s=latency_s,
    )


def with_text(pieces: Sequence[bytes], text: str, *, streams: bool) -> list[bytes]:
    """Return an answer with another text, and nothing else that it said."""
    if not streams:
        answer = parse(b"".join(pieces))
        message = {"role": "assistant", "content": text, "refusal": None}
        answer["choices"] = [{**answer["choices"][0], "message": message, "finish_reason": "stop", "logprobs": None}]
        return [json.dumps(answer).encode()]
    chunks = list(_chunks(pieces))
    frame = {name: value for name, value in chunks[0].items() if name not in ("choices", "usage")}
    said = [
        {**frame, "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}]},
        {**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        *(chunk for chunk in chunks if chunk.get("usage") and not chunk.get("choices")),
    ]
    return [*(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in said), b"data: [DONE]\n\n"]


def _logprobs(pieces: Sequence[bytes], *, streams: bool) -> tuple[float, ...] | None:
    """Return the log probabilities of the first choice's tokens; None where there are none."""
    if not any(b'"logprob"' in piece for piece in pieces):
        return None
    parts = _chunks(pieces) if streams else objects([parse(b"".join(pieces))])
    return tuple(value for part in parts for value in _tokens(part)) or None


def _chunks(pieces: Sequence[bytes]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that a stream's events hold."""
    for piece in pieces:
        data = event_data(piece)
        if data and data != b"[DONE]":
            yield from objects([parse(data)])


def _tokens(part: Mapping[str, Any]) -> Iterator[float]:
    """Yield the log probability of each token of the first choice; what is none is left out."""
    for choice in objects(part.get("choices")):
        said = choice.get("logprobs")
        if choice.get("index") or not isinstance(said, dict):
            continue
        for token in objects(said.get("content")):
            if isinstance(value := token.get("logprob"), int | float) and value <= 0:
                yield float(value)
