"""Reads a stream in OpenAI's dialect while it is relayed: no chunk passes that is not known to be one.

A chunk is parsed, unless it is like one that was parsed in all but its text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from providers.adapters.choices import chunk_defect, finish_reasons, says_something
from providers.alike import alike
from providers.errors import AnswerBroken, error_member, error_object, in_band
from providers.produced import ProducedEvents
from providers.sse import DONE, EventSplitter, EventTooLarge, event_data, event_name, foreign_line, plain_data
from providers.strict_json import InvalidJson, parse
from providers.usage import larger, read_usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from providers.alike import Alike
    from providers.types import Produced, Usage

#: The reason by which OpenRouter says that the model failed.
FAILED = "error"
#: What an event is called whose data is an error, whatever else it may look like.
ERROR_EVENT = b"error"


class OpenAIStreamDecoder:
    """Relays events as they are, and reads usage, finish reason and end beside them.

    The finish reason is the first that was given, and there is none before all `choices` have given theirs: a
    stream that ends without `[DONE]` is complete only then, one with `[DONE]` when all choices that came have.
    """

    def __init__(self, *, withhold_usage: bool, choices: int) -> None:
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.opened = False
        self.begun = False
        self.done = False
        self._withhold_usage = withhold_usage
        self._choices = choices
        self._seen: set[int] = set()
        self._reasons: dict[int, str] = {}
        self._counted_at_end = False
        self._produced = ProducedEvents()
        self._alike: Alike | None = None
        self._splitter = EventSplitter()

    @property
    def settled(self) -> bool:
        """Tell whether `usage` is the last word: the stream is complete, or was counted when all choices had ended."""
        return self.done or self._counted_at_end

    def produced(self) -> Produced:
        """Return what the stream has said so far."""
        return self._produced.produced()

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Take in bytes, cut anywhere; give the events for the client, up to the end or to what is wrong.

        What follows the end is no part of the answer. Raises `AnswerBroken` on what is no chunk and on an end without a
        finish reason, and what an error in band stands for.
        """
        try:
            events = self._splitter.feed(data)
        except EventTooLarge as error:
            raise AnswerBroken(f"the stream sent {error}") from error
        # Nearly always one event comes, with more text: no generator is made for it.
        return events if len(events) == 1 and self._is_alike(events[0]) else self._passing(events)

    def _passing(self, events: list[bytes]) -> Iterator[bytes]:
        for event in events:
            if self.done:
                return
            if self._is_alike(event) or self._passes(event):
                yield event

    def _is_alike(self, event: bytes) -> bool:
        """Tell whether an event is like one that has passed and changed nothing: it says more text, and that is all."""
        known = self._alike
        if known is None or (text := known.text(event)) is None:
            return False
        self._produced.add_alike(known, text, len(event) - known.framing)
        return True

    def _passes(self, event: bytes) -> bool:
        """Read an event and tell whether the client gets it."""
        payload = plain_data(event)
        if payload is None:
            _refuse_foreign(event)
            payload = event_data(event)
            if event_name(event) == ERROR_EVENT:
                raise in_band("the endpoint", _said_of(payload or b""))
        if not payload:
            # What has no data is no event (WHATWG HTML, section 9.2.6), though clients choke on it; comments are kept.
            return payload is None and not event.isspace()
        if payload == DONE:
            self._finish()
            return True
        self._produced.add(payload)
        return self._read(_chunk(payload, numbered=self._choices > 1), event)

    def _finish(self) -> None:
        if not self._reasons or self._seen - self._reasons.keys():
            raise AnswerBroken("the stream ended without a finish reason")
        self.finish_reason = next(iter(self._reasons.values()))
        self.done = True
        self._alike = None

    def _read(self, chunk: dict[str, Any], event: bytes) -> bool:
        if not self.begun:
            self.opened = self.opened or bool(chunk.get("choices"))
            self.begun = says_something(chunk)
        usage = read_usage(chunk) if chunk.get("usage") else None
        if usage is not None:
            self.usage = larger(self.usage, usage)
        if self._choices > 1:
            self._seen |= {choice["index"] for choice in chunk.get("choices") or ()}
        if reasons := finish_reasons(chunk):
            self._end(reasons)
        if usage is None and not reasons:
            self._alike = alike(event) or self._alike
        self._counted_at_end |= usage is not None and self.finish_reason is not None
        return not (self._withhold_usage and usage is not None and not chunk.get("choices"))

    def _end(self, reasons: dict[int, str]) -> None:
        """Note that choices have ended."""
        if FAILED in reasons.values():
            raise AnswerBroken("the endpoint failed in the middle of its answer")
        self._reasons |= reasons
        if len(self._reasons) >= self._choices:
            self.finish_reason = next(iter(self._reasons.values()))


def _chunk(payload: bytes, *, numbered: bool) -> dict[str, Any]:
    """Return the chunk that an event's data is."""
    try:
        chunk = parse(payload)
    except InvalidJson as error:
        raise AnswerBroken(f"the stream sent an event that {error}") from error
    if not isinstance(chunk, dict):
        raise AnswerBroken("the stream sent an event that is no JSON object")
    if (said := error_member(chunk)) is not None:
        raise in_band("the endpoint", said)
    if (defect := chunk_defect(chunk, numbered=numbered)) is not None:
        raise AnswerBroken(f"the stream sent a chunk that {defect}")
    return chunk


def _said_of(payload: bytes) -> Mapping[str, Any]:
    """Return the error that an event's data is: an object with an error in it, one that is the error, or words."""
    said = error_object(payload) or error_object(b'{"error":%b}' % payload)
    return said or {"message": payload.decode(errors="replace")}


def _refuse_foreign(event: bytes) -> None:
    """Refuse an event with a line that is none of an event stream."""
    line = foreign_line(event)
    if line is None:
        return
    # llama.cpp's older releases report errors in a field of their own.
    if line.startswith(b"error:"):
        raise in_band("the endpoint", error_object(b'{"error":%b}' % line[6:]) or {})
    raise AnswerBroken("the stream sent a line that is no field of an event")
