"""What passes between the gateway and an endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from decimal import Decimal

#: A stream may not be longer than this; a million tokens of a verbose endpoint are half of it.
MAX_STREAM_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them, and what it says that they cost.

    Cached (read from a cache), cache-write, audio and image tokens are parts of the prompt; reasoning, audio and image
    tokens are parts of the completion. A part that was not reported is 0. `cost_usd` of None was not reported.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    audio_prompt_tokens: int = 0
    audio_completion_tokens: int = 0
    image_prompt_tokens: int = 0
    image_completion_tokens: int = 0
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Produced:
    """The text of an answer, or of its beginning: `share` is how much of the answer it is, in (0, 1]."""

    text: str
    share: float


@dataclass(frozen=True, slots=True)
class Target:
    """The model as its endpoint knows it, and how much it is to reason; None is: as the client asks.

    `effort` is OpenAI's `reasoning_effort`; `reasoning` of False turns reasoning off, where that can be done; `budget`
    is a number of tokens to reason with, in place of an effort. `max_tokens` is how long an answer may be at most.
    """

    name: str
    effort: str | None = None
    reasoning: bool | None = None
    budget: int | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to a stream's beginning, between two pieces of a stream, and for a whole answer.

    `stream_bytes` is how long a stream may be.
    """

    connect_s: float = 5.0
    ttft_s: float = 60.0
    gap_s: float = 60.0
    total_s: float = 600.0
    stream_bytes: int = MAX_STREAM_BYTES


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the body's top-level object: where its value stands in the text, as [start, end)."""

    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat completion request: the text as received, a parsed view, and where its members stand."""

    text: str
    body: Mapping[str, Any]
    members: tuple[Member, ...]

    @property
    def model(self) -> str:
        """Return the model that the client asked for."""
        return str(self.body["model"])

    @property
    def stream(self) -> bool:
        """Tell whether the client asked for a stream."""
        return self.body.get("stream") is True

    @property
    def wants_usage(self) -> bool:
        """Tell whether the client asked for the extra usage chunk of a stream."""
        options = self.body.get("stream_options")
        return isinstance(options, Mapping) and options.get("include_usage") is True


class StreamDecoder(Protocol):
    """Turns an endpoint's stream into OpenAI's events, and reads the usage on the way."""

    usage: Usage | None
    #: The reason that the model gave for stopping; None while it has given none.
    finish_reason: str | None
    #: True once a choice has come, which may only say whose turn it is.
    opened: bool
    #: True once the stream has said a part of the answer.
    begun: bool
    #: True once the stream has said that it is complete.
    done: bool

    @property
    def settled(self) -> bool:
        """Tell whether `usage` is the endpoint's last word."""
        ...

    def produced(self) -> Produced:
        """Return what the stream has said so far."""
        ...

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take in bytes, cut anywhere; yield the events for the client, each with its blank line.

        Raises `ProviderError` after the last event that was as it should be.
        """
        ...


class Adapter(Protocol):
    """A wire dialect. It translates and never sends."""

    path: str

    def encode(self, chat: ChatRequest, target: Target) -> bytes:
        """Return the body to send."""
        ...

    def decode(self, body: bytes) -> Decoded:
        """Return OpenAI's form of a complete answer. Raises `ProviderError` where it is none."""
        ...

    def as_events(self, decoded: Decoded, chat: ChatRequest) -> list[bytes]:
        """Return a complete answer as the stream that `chat` asked for."""
        ...

    def stream_decoder(self, chat: ChatRequest) -> StreamDecoder:
        """Return a decoder for the stream that answers `chat`."""
        ...


@dataclass(frozen=True, slots=True)
class Decoded:
    """A complete answer in OpenAI's form. Usage is None where the endpoint reported none."""

    body: bytes
    usage: Usage | None
    finish_reason: str | None


class Reply(Protocol):
    """An endpoint's answer, under way. `usage` and `finish_reason` are known when the body is exhausted."""

    status: int
    headers: Mapping[str, str]
    #: Whether the body is a stream of events; else it is one piece of JSON.
    streams: bool

    @property
    def usage(self) -> Usage | None:
        """Return the usage, if the endpoint reported it."""
        ...

    @property
    def finish_reason(self) -> str | None:
        """Return the reason that the model gave for stopping."""
        ...

    @property
    def settled(self) -> bool:
        """Tell whether `usage` is the endpoint's last word: not where a stream breaks off, or is left, before it."""
        ...

    def produced(self) -> Produced:
        """Return what the endpoint has said so far; that is parsed for, so it is asked only if usage is wanting."""
        ...

    def body(self) -> AsyncIterator[bytes]:
        """Yield the body: one piece for JSON, an event a piece for a stream. Raises `ProviderError`."""
        ...

    async def aclose(self) -> None:
        """Give the connection up; an unfinished answer is cancelled."""
        ...
