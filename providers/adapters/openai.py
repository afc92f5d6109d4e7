"""OpenAI's dialect, which most endpoints speak: the client's own bytes, with only the model's name replaced."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from providers.chat import with_members
from providers.errors import MESSAGE_LIMIT, UpstreamError, error_object
from providers.produced import ProducedEvents
from providers.sse import EventSplitter, EventTooLarge, event_data
from providers.types import Decoded, Usage
from providers.usage import larger, read_usage

if TYPE_CHECKING:
    from providers.types import ChatRequest, Produced, Target

#: Only chunks that say one of these need to be parsed. Inside a JSON string the closing quote would be escaped.
_TELLING = re.compile(rb'"(?:usage|finish_reason|error)"\s*:\s*[^\sn]')


class OpenAIAdapter:
    """Chat completions as OpenAI defines them.

    `stream_options` tells whether the endpoint understands `stream_options.include_usage`, by which the
    usage of a stream is asked for; `reasoning` how it is told to reason more or less.
    """

    path = "chat/completions"

    def __init__(
        self, *, stream_options: bool = True, reasoning: Literal["effort", "object", "template"] = "effort"
    ) -> None:
        self.stream_options = stream_options
        self._reasoning = _REASONING[reasoning]

    def encode(self, chat: ChatRequest, target: Target) -> bytes:
        """Return the client's text with the target's name and effort, and with usage asked for if it streams."""
        changes: dict[str, Any] = {"model": target.name, **self._reasoning(chat, target)}
        if self._asks_usage(chat):
            changes["stream_options"] = {**(chat.body.get("stream_options") or {}), "include_usage": True}
        return with_members(chat, changes).encode()

    def decode(self, body: bytes) -> Decoded:
        """Read a complete answer; its bytes stay as they are.

        Raises `UpstreamError` where it is no completion, or an error that came with status 200.
        """
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise UpstreamError(f"the answer is not JSON ({len(body)} bytes)") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
            raise UpstreamError("the answer holds no choices", body=error_object(body))
        return Decoded(body, read_usage(answer), _finish_reason(answer))

    def as_events(self, decoded: Decoded, chat: ChatRequest) -> list[bytes]:
        """Return a complete answer as a stream: all in one chunk, the usage in another if asked for, and the end."""
        answer = json.loads(decoded.body)
        chunk = {**answer, "object": "chat.completion.chunk"}
        usage = chunk.pop("usage", None)
        chunks = [{**chunk, "choices": [_as_delta(choice) for choice in answer["choices"]]}]
        if chat.wants_usage and usage is not None:
            chunks.append({**chunk, "choices": [], "usage": usage})
        return [*(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks), b"data: [DONE]\n\n"]

    def stream_decoder(self, chat: ChatRequest) -> OpenAIStreamDecoder:
        """Return a decoder that withholds the usage chunk if the client did not ask for it."""
        return OpenAIStreamDecoder(withhold_usage=self._asks_usage(chat), choices=_choices_of(chat))

    def _asks_usage(self, chat: ChatRequest) -> bool:
        """Tell whether usage has to be asked for on the client's behalf."""
        return chat.stream and self.stream_options and not chat.wants_usage


class OpenAIStreamDecoder:
    """Relays events as they are, and reads usage, finish reason and end beside them.

    The finish reason is the first that was given, and there is none before all `choices` have given theirs: a
    stream that ends without `[DONE]` is complete only then.
    """

    def __init__(self, *, withhold_usage: bool, choices: int) -> None:
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.done = False
        self._withhold_usage = withhold_usage
        self._choices = choices
        self._reasons: dict[object, str] = {}
        self._counted_at_end = False
        self._produced = ProducedEvents()
        self._splitter = EventSplitter()

    @property
    def settled(self) -> bool:
        """Tell whether `usage` is the last word: the stream is complete, or was counted when all choices had ended."""
        return self.done or self._counted_at_end

    def produced(self) -> Produced:
        """Return what the stream has said so far."""
        return self._produced.produced()

    def feed(self, data: bytes) -> list[bytes]:
        """Take in bytes, cut anywhere; return the events for the client.

        Raises `UpstreamError` on an error in band and on an event that is no JSON object.
        """
        try:
            events = self._splitter.feed(data)
        except EventTooLarge as error:
            raise UpstreamError(f"the stream sent {error}") from error
        return [event for event in events if self._passes(event)]

    def _passes(self, event: bytes) -> bool:
        """Read an event and tell whether the client gets it."""
        payload = event_data(event)
        if payload is None:
            return True
        if payload == b"[DONE]":
            self.done = True
            return True
        if not (payload.startswith(b"{") and payload.endswith(b"}")):
            raise UpstreamError("the stream sent an event that is no JSON object")
        self._produced.add(payload)
        if _TELLING.search(payload) is None:
            return True
        return self._read(payload)

    def _read(self, payload: bytes) -> bool:
        try:
            chunk = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise UpstreamError("the stream sent an event that is not JSON") from error
        if chunk.get("error") and not chunk.get("choices"):
            said = error_object(payload) or {}
            raise UpstreamError(f"the stream reported an error: {str(said.get('message'))[:MESSAGE_LIMIT]}", body=said)
        usage = read_usage(chunk)
        self.usage = larger(self.usage, usage)
        self._reasons |= _finish_reasons(chunk)
        if len(self._reasons) >= self._choices:
            self.finish_reason = next(iter(self._reasons.values()), None)
        self._counted_at_end |= usage is not None and self.finish_reason is not None
        return not (self._withhold_usage and usage is not None and chunk.get("choices") == [])


def _by_effort(_: ChatRequest, target: Target) -> dict[str, Any]:
    effort = "none" if target.reasoning is False else target.effort
    return {} if effort is None else {"reasoning_effort": effort}


def _by_object(chat: ChatRequest, target: Target) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if target.effort is not None and target.reasoning is not False:
        changes["effort"] = target.effort
    if target.reasoning is not None:
        changes["enabled"] = target.reasoning
    if not changes:
        return {}
    # How much to reason is said once: an effort, a number of tokens, and the older member exclude each other.
    replaced = () if changes == {"enabled": True} else ("effort", "max_tokens")
    kept = {key: value for key, value in _member(chat, "reasoning").items() if key not in replaced}
    older = {"reasoning_effort": None} if replaced and "reasoning_effort" in chat.body else {}
    return {"reasoning": {**kept, **changes}, **older}


def _by_template(chat: ChatRequest, target: Target) -> dict[str, Any]:
    changes: dict[str, Any] = {} if target.effort is None else {"reasoning_effort": target.effort}
    if target.reasoning is not None:
        changes["chat_template_kwargs"] = {**_member(chat, "chat_template_kwargs"), "enable_thinking": target.reasoning}
    return changes


def _member(chat: ChatRequest, key: str) -> dict[str, Any]:
    """Return a member that is an object; empty where the client sent none, or something else."""
    value = chat.body.get(key)
    return value if isinstance(value, dict) else {}


#: What each way of asking for reasoning changes in a request.
_REASONING = {"effort": _by_effort, "object": _by_object, "template": _by_template}


def _as_delta(choice: Any) -> Any:
    """Return a choice of a complete answer as one of a chunk; calls of tools are numbered there."""
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return choice
    delta = dict(choice["message"])
    if isinstance(calls := delta.get("tool_calls"), list):
        delta["tool_calls"] = [{"index": n, **call} for n, call in enumerate(calls) if isinstance(call, dict)]
    return {**{key: value for key, value in choice.items() if key != "message"}, "delta": delta}


def _choices_of(chat: ChatRequest) -> int:
    """Return how many choices the client asked for: `n`, by default one."""
    n = chat.body.get("n")
    return n if isinstance(n, int) else 1


def _finish_reason(body: dict[str, Any]) -> str | None:
    """Return the first choice's finish reason that is given."""
    return next(iter(_finish_reasons(body).values()), None)


def _finish_reasons(body: dict[str, Any]) -> dict[object, str]:
    """Return the finish reasons that are given, by the index of their choice."""
    choices = body.get("choices")
    if not isinstance(choices, list):
        return {}
    pairs = ((str(choice.get("index")), choice.get("finish_reason")) for choice in choices if isinstance(choice, dict))
    return {index: reason for index, reason in pairs if isinstance(reason, str)}
