"""What a lookup gives: an answer to give again, or what keeps the one to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.caching.kept import Kept
from providers.adapters.openai import OpenAIAdapter
from providers.reply import WholeReply

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.caching.entry import Entry
    from gateway.caching.types import Way
    from providers.types import ChatRequest, Reply

_DIALECT: Final = OpenAIAdapter()


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer that is given again, and how it was found; `age_s` is in whole seconds."""

    entry: Entry
    way: Way
    age_s: int

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that tell of it; the decision is the one that the answer comes from."""
        return {
            "x-pointsman-cache": self.way,
            "x-pointsman-cache-age": str(self.age_s),
            "x-pointsman-decision-id": self.entry.decision_id,
            "x-pointsman-model": self.entry.model,
            "x-pointsman-cost-usd": "0",
        }

    def reply(self, chat: ChatRequest) -> Reply:
        """Return the answer as `chat` wants it: whole, or as a stream. Raises `ProviderError` where it is none."""
        answer = _DIALECT.decode(self.entry.answer)
        return WholeReply({}, answer, _DIALECT.as_events(answer, chat) if chat.stream else ())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer comes from: which model gives it, by which decision."""

    model: str
    decision_id: str


@dataclass(frozen=True, slots=True)
class Miss:
    """There is no answer to give again. `only` tells that the client wants no other (RFC 9111: it gets a 504).

    `write` keeps the whole answer of an origin; None where it is not to be kept.
    """

    only: bool
    max_bytes: int = 0
    write: Callable[[Origin, Callable[[], bytes | None]], None] | None = None

    def keep(self, reply: Reply, origin: Origin) -> Reply:
        """Return the reply to relay in place of another: one that is kept once all of it has been relayed."""
        write = self.write
        return reply if write is None else Kept(reply, self.max_bytes, lambda whole: write(origin, whole))
