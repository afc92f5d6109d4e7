"""What an answer says, gathered while it is relayed: whole or as a stream, one choice or several."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gateway.signals.request import calls_of, objects, texts_of
from providers.sse import DONE, event_data
from providers.strict_json import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Bytes of an answer beyond which its text is given up: nobody compares or judges books.
MAX_BYTES: Final = 256 * 1024
#: Events of a stream that are read at once, and how long one may be that waits for the next.
AT_ONCE, LONG_BYTES = 16, 4096
#: A chunk that says a piece of text, in which nothing is escaped, and nothing else: most chunks are such. A quotation
#: mark inside a text is escaped, so that no text can pass for this.
_PLAIN = re.compile(rb'"delta": ?\{(?:"role": ?"assistant", ?)?"content": ?"([^"\\]*)"\}')


@dataclass(slots=True)
class Call:
    """A call of a tool as the model wrote it: its name, and its arguments, which should be JSON."""

    name: str
    arguments: str


@dataclass(slots=True)
class Choice:
    """What one choice says. `other` tells that there is more than text: sound, pictures."""

    text: str
    calls: tuple[Call, ...] = ()
    refused: bool = False
    finish_reason: str | None = None
    other: bool = False


@dataclass(slots=True)
class _Growing:
    """A choice while it comes."""

    said: bytearray = field(default_factory=bytearray)
    calls: dict[int, tuple[list[str], list[str]]] = field(default_factory=dict)
    refused: bool = False
    finish_reason: str | None = None
    other: bool = False

    def choice(self) -> Choice:
        calls = [Call("".join(name), "".join(said)) for _, (name, said) in sorted(self.calls.items())]
        text = self.said.decode(errors="replace")
        return Choice(text, tuple(calls), self.refused, self.finish_reason, self.other)


class Gathered:
    """Takes an answer in, piece by piece. `wanted` is how many choices were asked for.

    Pieces are bytes of UTF-8 until the end: of most events nothing is read but the text.
    """

    def __init__(self, wanted: int = 1) -> None:
        self._single = wanted == 1
        self._left = MAX_BYTES
        self._kept: dict[int, _Growing] = {0: _Growing()} if self._single else {}
        self._unread: list[bytes] = []

    def events(self, events: Sequence[bytes]) -> None:
        """Take in events of a stream. Never raises: from what cannot be read, the answer is given up.

        Those that come one by one are read some at a time: what reads them is in the processor's caches for all but
        the first.
        """
        self._unread += events
        if len(events) != 1 or len(events[0]) > LONG_BYTES or len(self._unread) >= AT_ONCE:
            self._read_all()

    def _read_all(self) -> None:
        unread, self._unread = self._unread, []
        for event in unread:
            if self._left < 0:
                return
            if self._single and (plain := _PLAIN.search(event)) is not None:
                self._left -= len(plain[1])
                self._kept[0].said += plain[1]
            else:
                self._read(event)

    def event(self, event: bytes) -> None:
        """Take in one event of a stream, as `events` does."""
        self.events((event,))

    def _read(self, event: bytes) -> None:
        payload = event_data(event)
        if payload and payload != DONE:
            self.whole(payload)

    def whole(self, body: bytes, answer: Mapping[str, Any] | None = None) -> None:
        """Take in a whole answer, or a chunk of a stream: `answer` is what it stands for, if known. Never raises."""
        try:
            for choice in objects((parse(body) if answer is None else answer).get("choices")):
                self._add(choice)
        except (ValueError, TypeError, AttributeError):
            self._left = -1

    def choices(self) -> tuple[Choice, ...] | None:
        """Return what every choice says; None where it could not be read, or is too long."""
        self._read_all()
        return None if self._left < 0 else tuple([kept.choice() for _, kept in sorted(self._kept.items())])

    def _add(self, choice: Mapping[str, Any]) -> None:
        number = int(choice.get("index") or 0)
        kept = self._kept.get(number)
        if kept is None:
            kept = self._kept[number] = _Growing()
        said = choice.get("delta") or choice.get("message") or {}
        content = said.get("content")
        text = (content if isinstance(content, str) else "".join(texts_of(content))).encode(errors="replace")
        self._left -= len(text)
        kept.said += text
        kept.refused = kept.refused or bool(said.get("refusal"))
        kept.other = kept.other or bool(said.get("audio") or said.get("images"))
        kept.finish_reason = kept.finish_reason or choice.get("finish_reason")
        for number, call in enumerate(calls_of(said)):
            self._add_call(kept, int(call.get("index", number)), call.get("function") or {})

    def _add_call(self, kept: _Growing, index: int, function: Mapping[str, Any]) -> None:
        name, arguments = kept.calls.setdefault(index, ([], []))
        name.append(str(function.get("name") or ""))
        arguments.append(str(function.get("arguments") or ""))
        self._left -= len(arguments[-1])
