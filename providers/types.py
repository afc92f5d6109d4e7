"""What passes between the gateway and an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from decimal import Decimal

    import httpx2

#: Takes in parts of a body that came at once; returns True where no more is to come until it is asked for again.
Sink = Callable[[Sequence[bytes]], bool | None]

#: A stream may not be longer than this; a million tokens of a verbose endpoint are half of it.
MAX_STREAM_BYTES = 512 * 1024 * 1024


@dataclass(slots=True)
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


@dataclass(slots=True)
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


@dataclass(slots=True)
class Timeouts:
    """Seconds: to connect, to a stream's beginning, between two pieces of a stream, and for a whole answer.

    `stream_bytes` is how long a stream may be.
    """

    connect_s: float = 5.0
    ttft_s: float = 60.0
    gap_s: float = 60.0
    total_s: float = 600.0
    stream_bytes: int = MAX_STREAM_BYTES

    def within(self, total_s: float) -> Timeouts:
        """Return the same limits for a whole answer that may take `total_s`."""
        if total_s == self.total_s:
            return self
        return Timeouts(self.connect_s, self.ttft_s, self.gap_s, total_s, self.stream_bytes)


@dataclass(slots=True)
class ChatRequest:
    """A chat completion request: as received, which is JSON in UTF-8, and a parsed view."""

    raw: bytes
    body: Mapping[str, Any]
    #: Whether the client asked for a stream.
    stream: bool = field(init=False)

    def __post_init__(self) -> None:
        self.stream = self.body.get("stream") is True

    @property
    def text(self) -> str:
        """Return what was received as text, decoded anew: of a megabyte that takes as long as to parse it."""
        return self.raw.decode()

    def is_longer(self, characters: int) -> bool:
        """Tell whether the text has more characters than that."""
        return len(self.raw) > characters and len(self.text) > characters

    @property
    def model(self) -> str:
        """Return the model that the client asked for."""
        return str(self.body["model"])

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

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Take in bytes, cut anywhere; give the events for the client, each with its blank line.

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


@dataclass(slots=True)
class Decoded:
    """A complete answer in OpenAI's form. Usage is None where the endpoint reported none.

    `answer` is what the body stands for, where it has been read.
    """

    body: bytes
    usage: Usage | None
    finish_reason: str | None
    answer: Mapping[str, Any] | None = None


class Answer(Protocol):
    """What an endpoint has begun to answer, as bytes: the head is there. Headers are looked up in lower case.

    To be closed by whoever got it.
    """

    @property
    def status(self) -> int:
        """Return the status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the header fields."""
        ...

    def next(self) -> Coroutine[Any, Any, bytes | None]:
        """Return what has come of the body since, None at its end. Raises `httpx2.RequestError`."""
        ...

    def pour(self, take: Callable[[bytes], bool]) -> Coroutine[Any, Any, bool]:
        """Give `take` the body as it comes, until it returns True, and return True; at its end return False.

        It is called at once where bytes come in, by whoever reads them. Raises `httpx2.RequestError`, and what `take`
        raises.
        """
        ...

    def interrupt(self, error: httpx2.TransportError) -> None:
        """End a wait for what comes next with an error; nothing happens where nobody waits."""
        ...

    async def whole(self, most: int) -> bytes:
        """Return the body once all has come; an error's is empty where it does not come well, or soon.

        Raises `httpx2.RequestError`, also where it has more than `most` bytes.
        """
        ...

    async def aclose(self) -> None:
        """Hang up, unless the answer has come to its end; closing twice is harmless."""
        ...


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

    @property
    def answer(self) -> Mapping[str, Any] | None:
        """Return what the body stands for, where it is one piece that has been read already: nobody reads it again."""
        ...

    def produced(self) -> Produced:
        """Return what the endpoint has said so far; that is parsed for, so it is asked only if usage is wanting."""
        ...

    def pour(self, sink: Sink) -> Coroutine[Any, Any, bool]:
        """Give `sink` the body as it comes, what came at once together: one piece for JSON, events for a stream.

        Return True as soon as the sink does: it is asked again for the rest. Return False once the body is exhausted.
        Raises `ProviderError` after what was as it should be, and what the sink raises.
        """
        ...

    async def aclose(self) -> None:
        """Give the connection up; an unfinished answer is cancelled."""
        ...
