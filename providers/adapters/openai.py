"""OpenAI's dialect, which most endpoints speak: the client's own bytes, with only the model's name replaced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from providers.adapters.choices import answer_defect, first_reason
from providers.adapters.openai_stream import FAILED, OpenAIStreamDecoder
from providers.chat import with_members
from providers.errors import AnswerBroken, error_member, in_band
from providers.reasoning import STYLES
from providers.strict_json import InvalidJson, parse
from providers.types import Decoded
from providers.usage import read_usage

if TYPE_CHECKING:
    from providers.reasoning import Style
    from providers.types import ChatRequest, Target

#: Members that limit how long an answer may be.
LIMITS = ("max_tokens", "max_completion_tokens")


class OpenAIAdapter:
    """Chat completions as OpenAI defines them.

    `stream_options` tells whether the endpoint understands `stream_options.include_usage`, by which the
    usage of a stream is asked for; `reasoning` how it is told to reason more or less; `limit` the member by which it is
    told how long an answer may be.
    """

    path = "chat/completions"

    def __init__(
        self, *, stream_options: bool = True, reasoning: Style = STYLES["effort"], limit: str = "max_tokens"
    ) -> None:
        self.stream_options = stream_options
        self._reasoning = reasoning
        self._limit = limit

    def encode(self, chat: ChatRequest, target: Target) -> bytes:
        """Return the client's text with the target's name, effort and limit, and with usage asked for if it streams."""
        changes: dict[str, Any] = {"model": target.name, **self._reasoning.members(chat, target)}
        if target.max_tokens is not None:
            changes |= self._limited(chat, target.max_tokens)
        if self._asks_usage(chat):
            changes["stream_options"] = {**(chat.body.get("stream_options") or {}), "include_usage": True}
        return with_members(chat, changes)

    def decode(self, body: bytes) -> Decoded:
        """Read a complete answer; its bytes stay as they are.

        Raises `AnswerBroken` where it is no completion, and what an error stands for that came with status 200.
        """
        try:
            answer = parse(body)
        except InvalidJson as error:
            raise AnswerBroken(f"the answer, of {len(body)} bytes, {error}") from error
        if isinstance(answer, dict) and (said := error_member(answer)) is not None:
            raise in_band("the endpoint", said)
        if (defect := answer_defect(answer)) is not None:
            raise AnswerBroken(f"the endpoint sent an answer that {defect}")
        reason = first_reason(answer)
        if reason == FAILED:
            raise AnswerBroken("the endpoint failed in the middle of its answer")
        return Decoded(body, read_usage(answer), reason, answer)

    def as_events(self, decoded: Decoded, chat: ChatRequest) -> list[bytes]:
        """Return a complete answer as a stream: all in one chunk, the usage in another if asked for, and the end."""
        answer = json.loads(decoded.body) if decoded.answer is None else decoded.answer
        chunk = {**answer, "object": "chat.completion.chunk"}
        usage = chunk.pop("usage", None)
        chunks = [{**chunk, "choices": [_as_delta(choice) for choice in answer["choices"]]}]
        if chat.wants_usage and usage is not None:
            chunks.append({**chunk, "choices": [], "usage": usage})
        return [*(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks), b"data: [DONE]\n\n"]

    def stream_decoder(self, chat: ChatRequest) -> OpenAIStreamDecoder:
        """Return a decoder that withholds the usage chunk if the client did not ask for it."""
        return OpenAIStreamDecoder(withhold_usage=self._asks_usage(chat), choices=_choices_of(chat))

    def _limited(self, chat: ChatRequest, most: int) -> dict[str, Any]:
        """Return what keeps an answer within `most` tokens: a lower limit of the client's own stands."""
        asked = {name: limit for name in LIMITS if isinstance(limit := chat.body.get(name), int) and limit > 0}
        return {name: most for name, limit in asked.items() if limit > most} if asked else {self._limit: most}

    def _asks_usage(self, chat: ChatRequest) -> bool:
        """Tell whether usage has to be asked for on the client's behalf."""
        return chat.stream and self.stream_options and not chat.wants_usage


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
