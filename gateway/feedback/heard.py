"""Feedback on earlier answers that comes along with a request: in a header, or in its metadata.

Each piece is a token or a decision's id, and words after it: `TOKEN; score=0.9`, `TOKEN; label="wrong language"`,
`ID; up; source=user:42`, or in short `ID:up` and `ID:0.9`. A comma stands between two pieces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from gateway.feedback.tokens import is_token
from gateway.feedback.written import FeedbackRequest
from providers.chat import edited

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.feedback.opinion import Piece
    from providers.types import ChatRequest

#: The header, and the entry of the metadata.
HEADER: Final = "x-pointsman-feedback"
ENTRY: Final = "pointsman_feedback"
#: Characters, and pieces of feedback, in one text at most.
MAX_CHARACTERS: Final = 4096
MAX_PIECES: Final = 16

# A text in quotes, in which a backslash stands before a quote or a backslash; or what is no quote and no separator.
_TEXT: Final = r'"(?:[^"\\]|\\["\\])*+"'
_PARTS: Final = {separator: re.compile(f'(?:{_TEXT}|[^"{separator}])++') for separator in ",;"}
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\["\\])*)"')


class MisheardError(Exception):
    """What is said is no feedback; the message says why, and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said along with a request: the text, and where it stood."""

    text: object
    where: str


def listen(chat: ChatRequest, headers: Mapping[str, str]) -> tuple[ChatRequest, tuple[Heard, ...]]:
    """Return a request without the feedback in its metadata, which is not for upstream, and all that came along."""
    heard = [Heard(headers[HEADER], "header")] if HEADER in headers else []
    metadata = chat.body.get("metadata")
    if isinstance(metadata, dict) and ENTRY in metadata:
        heard.append(Heard(metadata[ENTRY], "metadata"))
        rest = {key: value for key, value in metadata.items() if key != ENTRY}
        chat = edited(chat, {"metadata": rest} if rest else {}, {"metadata"})
    return chat, tuple(heard)


def understood(heard: Heard) -> list[Piece]:
    """Return what was said as pieces of feedback. Raises `MisheardError`."""
    if not isinstance(heard.text, str):
        raise MisheardError("it is no text")
    if len(heard.text) > MAX_CHARACTERS:
        raise MisheardError(f"it is longer than {MAX_CHARACTERS} characters")
    if not heard.text.strip():
        raise MisheardError("it says nothing")
    pieces = _separated(",", heard.text)
    if len(pieces) > MAX_PIECES:
        raise MisheardError(f"it has {len(pieces)} pieces: at most {MAX_PIECES} are taken")
    return [_piece(text) for text in pieces]


def _piece(text: str) -> Piece:
    reference, *words = _separated(";", text)
    reference, colon, word = reference.partition(":")
    reference = reference.strip()
    said: dict[str, Any] = {"token" if is_token(reference) else "decision_id": reference}
    for one in [word, *words] if colon else words:
        said |= _member(one)
    try:
        return FeedbackRequest.model_validate(said).piece()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part in FeedbackRequest.model_fields)
        # What pydantic says of a value may repeat it; of a rule of our own it is ours.
        reason = first["msg"].removeprefix("Value error, ") if not first["loc"] else f"{place or 'a word'} is wrong"
        raise MisheardError(reason) from error


def _member(word: str) -> dict[str, Any]:
    """Return one word as a member of a request: `up`, `0.9`, or `name=value`."""
    name, equals, value = (part.strip() for part in word.partition("="))
    if not equals:
        return {"thumb": name} if name in ("up", "down") else {"score": _number(name)}
    if name not in FeedbackRequest.model_fields or name in ("preference", "implicit", "token", "decision_id"):
        raise MisheardError("it has a word that is none of score, thumb, binary, label, source, comment")
    quoted = _QUOTED.fullmatch(value)
    plain = re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted else value
    return {name: {"score": _number, "binary": _truth}.get(name, str)(plain)}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise MisheardError("it has a score that is no number") from None


def _truth(text: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if (truth := known.get(text.lower())) is None:
        raise MisheardError("it has a binary that is neither true nor false")
    return truth


def _separated(separator: str, text: str) -> list[str]:
    """Return the parts of a text. Raises `MisheardError` where one is empty, or has a quote that does not end."""
    parts: list[str] = []
    at = -1  # as if a separator stood before
    while at < len(text):
        part = _PARTS[separator].match(text, at + 1)
        if part is None or not part[0].strip() or text[part.end() : part.end() + 1] not in ("", separator):
            raise MisheardError("a quote, a comma or a semicolon stands where none belongs")
        parts.append(part[0].strip())
        at = part.end()
    return parts
