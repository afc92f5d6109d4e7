"""Puts the events of a stream together: the whole completion that they are the pieces of.

Whole, as events, and put together again is the same answer. What has no one meaning spoils the whole: texts of unknown
members may be pieces or repetitions, and a call of a tool without its index could be any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.caching._pieces import EMPTY, Ambiguous, add_delta, add_logprobs, finished, index_of, once
from providers.sse import DONE, event_data
from providers.strict_json import parse

if TYPE_CHECKING:
    from providers.types import Usage

#: Members of a chunk that tell of the sending and not of the answer.
_SENDING: Final = frozenset({"obfuscation", "x_groq", "object", "choices", "usage"})
#: Members of a chunk that name the answer: the first one counts, whatever later ones say.
_NAMING: Final = frozenset({"id", "created", "model", "system_fingerprint", "service_tier"})


class Assembly:
    """Takes in events, each with its blank line, and gives the whole up where it grows beyond `max_bytes`.

    `spoilt` says why there is no whole, empty while there may be one.
    """

    def __init__(self, max_bytes: int) -> None:
        self.spoilt = ""
        self._left = max_bytes
        self._done = False
        self._whole: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}
        self._usage: dict[str, Any] | None = None

    def add(self, event: bytes) -> None:
        """Take in an event. Never raises: what cannot be read spoils the whole."""
        payload = None if self.spoilt else event_data(event)
        if payload == DONE:
            self._done = True
        elif payload:
            try:
                self._add(parse(payload), len(payload))
            except (ValueError, TypeError, AttributeError) as error:
                self._spoil(f"{type(error).__name__}: {error}")

    def whole(self, usage: Usage | None) -> dict[str, Any] | None:
        """Return the completion; None where the stream has not said that it is done, or is spoilt.

        `usage` stands in where the stream told none.
        """
        if self.spoilt or not self._done:
            return None
        choices = [finished(choice) for _, choice in sorted(self._choices.items())]
        whole = {**self._whole, "object": "chat.completion", "choices": choices}
        told = self._usage or (_written(usage) if usage else None)
        return whole if told is None else {**whole, "usage": told}

    def _spoil(self, why: str) -> None:
        self.spoilt = why
        self._whole, self._choices = {}, {}

    def _add(self, chunk: Any, size: int) -> None:
        if chunk.get("error"):
            raise Ambiguous("the stream reported an error")
        for name, value in chunk.items():
            if name in _NAMING:
                self._name(name, value)
            elif name not in _SENDING:
                once(self._whole, name, value)
        if chunk.get("usage"):
            self._usage = chunk["usage"]
        for choice in chunk.get("choices") or ():
            self._add_choice(choice, size)

    def _name(self, name: str, value: Any) -> None:
        """Take in what names the answer; some endpoints name it only after a first chunk without a choice."""
        if self._whole.get(name) in EMPTY:
            self._whole[name] = value

    def _add_choice(self, choice: dict[str, Any], size: int) -> None:
        """Take in one choice of a chunk. Texts are counted by their length, all else by that of the chunk."""
        delta = choice.get("delta") or {}
        index = index_of(choice)
        kept = self._choices.setdefault(index, {"index": index, "message": {}})
        plain = delta.keys() <= {"role", "content"} and not choice.get("logprobs")
        self._left -= len(delta.get("content") or "") if plain and kept["message"] else size
        if self._left < 0:
            raise Ambiguous("the answer is too long")
        for name, value in choice.items():
            if name == "logprobs":
                add_logprobs(kept, value)
            elif name not in ("index", "delta"):
                once(kept, name, value)
        add_delta(kept["message"], delta)


def _written(usage: Usage) -> dict[str, Any]:
    """Return a usage in OpenAI's form, without its cost: to give an answer again costs nothing."""
    prompt = {"cached_tokens": usage.cached_tokens, "audio_tokens": usage.audio_prompt_tokens}
    completion = {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": usage.audio_completion_tokens}
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": completion,
    }
