"""A conversation as it is remembered: digests of how far it has come, in place of its words."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.implicit.wording import arguments_in_one_form, as_choice
from gateway.signals.request import calls_of, is_user, messages_of, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gateway.implicit.answer import Choice
    from gateway.signals.request import Message

#: Bytes of a digest: half of what the hash gives.
BYTES: Final = 16
#: Members that say, with the model, what is asked beside the conversation: where they differ, something else is.
_FRAME: Final = frozenset({"tools", "functions", "response_format", "seed", "n"})
#: Characters of a model's name that is kept as it is, where nothing else is asked.
_NAME: Final = 64
#: Bytes of user turns from which on nobody else is likely to have sent the same: a greeting, or a button, many send.
_LONG: Final = 200
_ENCODER: Final = json.JSONEncoder(sort_keys=True)


class Conversation(NamedTuple):
    """A request's conversation, by digests that hold for one asker.

    `whole` is that of all messages, `turn` of those up to the last user turn, `before` of those before the assistant's
    last turn (None where there is none, or nothing follows it); `returned` is that turn, and `results` are the messages
    after it. By `loop` the last step of a loop of tools is remembered, which a user turn has begun. `frame` tells what
    else is asked; `asks` tells that a user turn is the last message, `continues` that
    there are answers already. `own` tells that the same request is not likely to be another person's, `before_own` that
    the one before the assistant's last turn is not.
    """

    whole: bytes
    turn: bytes
    loop: bytes
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
        own = hashlib.blake2b(key, digest_size=32, person=b"conversation").digest()
        # SHA-256 of a whole block with the key and then what is told of: processors have instructions for it (18 us for
        # 32 KB, BLAKE2 takes 43), and copied it begins with the key behind it. That is as good as an HMAC here, since
        # only half of each digest is ever seen: nobody can go on from there, as from a whole one.
        self._keyed = hashlib.sha256(own.ljust(hashlib.sha256().block_size, b"\0"))

    def read(self, body: Mapping[str, Any], asker: str, *, told_apart: bool) -> Conversation:
        """Return a request's conversation; `told_apart` says that `asker` is one person or one session."""
        messages = messages_of(body)
        answer, user = _last_turns(messages)
        last = answer if answer is not None and answer < len(messages) - 1 else None
        turn = len(messages) if user is None else user + 1
        digests = self._digests(messages, asker, (turn, len(messages), last))
        return Conversation(
            whole=digests[len(messages)],
            turn=digests[turn],
            loop=b"loop" + digests[turn],
            before=None if last is None else digests[last],
            returned=None if last is None else as_choice(messages[last]),
            results=() if last is None else messages[last + 1 :],
            frame=self._frame(body),
            asks=bool(messages) and is_user(messages[-1]),
            continues=answer is not None,
            own=told_apart or answer is not None or _is_long(messages),
            before_own=last is not None and (told_apart or _is_distinct(messages[:last])),
        )

    def said(self, words: str) -> bytes:
        """Return the digest of what a choice says, by its `wording`."""
        return self._of(words.encode(errors="surrogatepass"))

    def _digests(self, messages: Sequence[Message], asker: str, places: Collection[int | None]) -> dict[int, bytes]:
        """Return the digests of as many of the first messages as `places` say."""
        whose = asker.encode(errors="surrogatepass")
        running = self._keyed.copy()
        running.update(b"%d:%b" % (len(whose), whose))
        found = {0: running.digest()[:BYTES]} if 0 in places else {}
        for number, message in enumerate(messages, start=1):
            running.update(_form(message))
            if number in places:
                found[number] = running.digest()[:BYTES]
        return found

    def _frame(self, body: Mapping[str, Any]) -> bytes:
        model, frame = body.get("model"), {}
        if not _FRAME.isdisjoint(body):
            frame = {name: value for name in _FRAME if (value := body.get(name)) is not None}
        if not frame and isinstance(model, str) and len(model) <= _NAME:  # as in nearly all requests
            return b"model:" + model.encode(errors="surrogatepass")
        return self._of(_written({"model": model, **frame}))

    def _of(self, value: bytes) -> bytes:
        digest = self._keyed.copy()
        digest.update(value)
        return digest.digest()[:BYTES]


def _last_turns(messages: Sequence[Message]) -> tuple[int | None, int | None]:
    """Return the numbers of the assistant's last turn, and of the last user turn."""
    answer = user = None
    for number, message in enumerate(messages):
        role = message.get("role")
        if role == "user":
            user = number
        elif role == "assistant":
            answer = number
    return answer, user


def _is_distinct(messages: Sequence[Message]) -> bool:
    """Tell whether two people hardly send the same: it has an answer in it, which is hardly given twice, or is long."""
    return any(message.get("role") == "assistant" for message in messages) or _is_long(messages)


def _is_long(messages: Sequence[Message]) -> bool:
    left = _LONG
    for message in messages:
        if is_user(message):
            content = message.get("content")
            text = content if isinstance(content, str) else text_of(message)
            # A text has at least as many bytes as characters.
            left -= len(text) if len(text) >= left else len(text.encode(errors="replace"))
            if left <= 0:
                return True
    return False


def _form(message: Message) -> bytes:
    """Return a message in one form: as it reads, however it is written, and without marks for prompt caches.

    Each form tells its kind and its length, so that no two conversations are written alike.
    """
    role, content = message.get("role"), message.get("content")
    if isinstance(content, str) and "tool_calls" not in message and "function_call" not in message:  # as nearly all are
        return _plain(role, content)
    calls = _calls(message)
    parts: object = content if isinstance(content, str) else [_part(part) for part in objects(content)]
    if isinstance(parts, list) and len(parts) == 1:
        parts = parts[0]
    if isinstance(parts, str) and not calls:
        return _plain(role, parts)
    return _written([role, parts if isinstance(parts, list) else [parts], calls])


def _plain(role: object, text: str) -> bytes:
    return f"{role!r}{len(text)}:{text}".encode(errors="surrogatepass")


def _calls(message: Message) -> list[tuple[str, str]]:
    if not calls_of(message):
        return []
    return [(call.name, arguments_in_one_form(call.arguments)) for call in as_choice(message).calls]


def _part(part: Message) -> object:
    if part.get("type") == "text" and isinstance(part.get("text"), str):
        return part["text"]
    return {name: value for name, value in part.items() if name != "cache_control"}


def _written(value: object) -> bytes:
    written = _ENCODER.encode(value).encode()
    return b"j%d:%b" % (len(written), written)
