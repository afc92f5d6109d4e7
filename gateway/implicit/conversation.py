"""A conversation as it is remembered: digests of how far it has come, in place of its words."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.implicit.answer import Call, Choice
from gateway.signals.request import calls_of, is_user, messages_of, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.signals.request import Message

#: Bytes of a digest.
BYTES: Final = 16
#: Members that say what is asked beside the conversation: where they differ, something else is.
_FRAME: Final = ("model", "tools", "functions", "response_format", "seed", "n")
#: Bytes of user turns from which on nobody else is likely to have sent the same: a greeting, or a button, many send.
_LONG: Final = 200
_ENCODER: Final = json.JSONEncoder(sort_keys=True)
_THOUGHTS: Final = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A request's conversation, by digests that hold for one asker.

    `whole` is that of all messages, `turn` of those up to the last user turn, `before` of those before the assistant's
    last turn (None where there is none, or nothing follows it); `returned` is that turn, and `results` are the messages
    after it. `frame` is that of what else is asked; `asks` tells that a user turn is the last message, `continues` that
    there are answers already. `own` tells that the same request is not likely to be another person's, `before_own` that
    the one before the assistant's last turn is not.
    """

    whole: bytes
    turn: bytes
    before: bytes | None
    returned: Choice | None
    results: Sequence[Mapping[str, Any]]
    frame: bytes
    asks: bool
    continues: bool
    own: bool
    before_own: bool

    @property
    def in_loop(self) -> bool:
        """Tell whether more has come after the last user turn: results of tools."""
        return self.whole != self.turn


class Reader:
    """Reads conversations with a secret key, without which a digest cannot be compared with a guess."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.blake2b(key, digest_size=32, person=b"conversation").digest()

    def read(self, body: Mapping[str, Any], asker: str, *, told_apart: bool) -> Conversation:
        """Return a request's conversation; `told_apart` says that `asker` is one person or one session."""
        messages = messages_of(body)
        answers = [n for n, message in enumerate(messages) if message.get("role") == "assistant"]
        users = [n for n, message in enumerate(messages) if is_user(message)]
        last = answers[-1] if answers and answers[-1] < len(messages) - 1 else None
        turn = users[-1] + 1 if users else len(messages)
        digests = self._digests(messages, asker, {turn, len(messages)} | ({last} if last is not None else set()))
        return Conversation(
            whole=digests[len(messages)],
            turn=digests[turn],
            before=None if last is None else digests[last],
            returned=None if last is None else as_choice(messages[last]),
            results=() if last is None else messages[last + 1 :],
            frame=self._of({name: body.get(name) for name in _FRAME}),
            asks=bool(messages) and is_user(messages[-1]),
            continues=bool(answers),
            own=told_apart or _is_distinct(messages),
            before_own=told_apart or _is_distinct(messages[: last or 0]),
        )

    def loop(self, turn: bytes) -> bytes:
        """Return by what the last step of a loop of tools is remembered, which a user turn has begun."""
        return hashlib.blake2b(turn, key=self._key, digest_size=BYTES, person=b"loop").digest()

    def said(self, choice: Choice) -> bytes:
        """Return the digest of what a choice says."""
        return self._of(wording(choice))

    def _digests(self, messages: Sequence[Message], asker: str, places: set[int]) -> dict[int, bytes]:
        """Return the digests of as many of the first messages as `places` say."""
        running = hashlib.blake2b(json.dumps(asker).encode(), key=self._key, digest_size=BYTES)
        found = {0: running.digest()} if 0 in places else {}
        for number, message in enumerate(messages, start=1):
            running.update(_form(message))
            if number in places:
                found[number] = running.digest()
        return found

    def _of(self, value: object) -> bytes:
        return hashlib.blake2b(_written(value), key=self._key, digest_size=BYTES).digest()


def _is_distinct(messages: Sequence[Message]) -> bool:
    """Tell whether two people hardly send the same: it has an answer in it, which is hardly given twice, or is long."""
    if any(message.get("role") == "assistant" for message in messages):
        return True
    return sum(len(text_of(one).encode(errors="replace")) for one in messages if is_user(one)) >= _LONG


def as_choice(message: Message) -> Choice:
    """Return an assistant's turn of a conversation as the choice that it was."""
    functions = [call.get("function") for call in calls_of(message)]
    calls = (
        Call(str(function.get("name")), str(function.get("arguments")))
        for function in functions
        if isinstance(function, dict)
    )
    return Choice(text_of(message), tuple(calls))


def wording(choice: Choice) -> str:
    """Return what a choice says, without what clients change by themselves: spaces, and thoughts before the answer."""
    text = choice.text.lstrip()
    thoughts = _THOUGHTS.match(text)
    text = " ".join(text[thoughts.end() if thoughts else 0 :].split())
    return "\n".join([text, *(f"{call.name} {_arguments(call.arguments)}" for call in choice.calls)]).strip()


def _arguments(written: str) -> str:
    """Return arguments in one form: clients read and write them anew."""
    try:
        return json.dumps(json.loads(written), sort_keys=True)
    except (ValueError, RecursionError):
        return written


def _form(message: Message) -> bytes:
    """Return a message in one form: as it reads, however it is written, and without marks for prompt caches.

    Each form tells its kind and its length, so that no two conversations are written alike.
    """
    role, content = message.get("role"), message.get("content")
    parts = [content] if isinstance(content, str) else [_part(part) for part in objects(content)]
    calls = [(call.name, _arguments(call.arguments)) for call in as_choice(message).calls] if calls_of(message) else []
    if len(parts) == 1 and isinstance(parts[0], str) and not calls:  # as nearly all messages are
        return f"{role!r}{len(parts[0])}:{parts[0]}".encode(errors="surrogatepass")
    return _written([role, parts, calls])


def _part(part: Message) -> object:
    if part.get("type") == "text" and isinstance(part.get("text"), str):
        return part["text"]
    return {name: value for name, value in part.items() if name != "cache_control"}


def _written(value: object) -> bytes:
    written = _ENCODER.encode(value).encode()
    return b"j%d:%b" % (len(written), written)
