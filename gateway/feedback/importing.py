"""Feedback out of a file into the log: all of it, or, where a row is wrong, none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from gateway.config.loader import did_you_mean
from gateway.feedback.files import FeedbackFileError, lines_of
from gateway.feedback.opinion import to_event
from gateway.feedback.rights import ADMIN
from gateway.feedback.written import FeedbackRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.events import Feedback
    from gateway.feedback.files import Line
    from gateway.store.base import Store

#: What a row may say; `value` is of the `kind`, a preference's two models stand in `preferred` and `over`.
COLUMNS: Final = (
    "decision_id",
    "kind",
    "value",
    "name",
    "preferred",
    "over",
    "source",
    "comment",
    "at",
    "idempotency_key",
)
#: Wrong rows that are told of at most.
MAX_TOLD: Final = 20
#: Pieces of feedback in one transaction: others who write to the log wait no longer.
BATCH: Final = 500

_THUMBS: Final = {"up": True, "down": False, "true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: pieces that were new, that were there or deleted before, and whose decision is not there."""

    new: int = 0
    known: int = 0
    waiting: int = 0


class Import:
    """Reads one file; `source` and `now` stand for what a row leaves out, `labels` has what labels are worth."""

    def __init__(self, path: Path, *, source: str, now: datetime, labels: Mapping[str, float]) -> None:
        self._path = path
        self._source = source
        self._now = now
        self._labels = labels

    def check(self) -> int:
        """Read the file from end to end; return its rows. Raises `FeedbackFileError`: a line for each wrong one."""
        count = 0
        wrong: list[str] = []
        for line in lines_of(self._path):
            count += 1
            try:
                self._event(line)
            except FeedbackFileError as error:
                wrong.append(str(error))
            if len(wrong) == MAX_TOLD:
                wrong.append(f"{self._path}: further rows were not looked at")
                break
        if wrong:
            raise FeedbackFileError("\n".join(wrong))
        return count

    def store(self, log: Store) -> Imported:
        """Store the file's feedback, a batch at a time, each piece once. Raises `FeedbackFileError`, `StoreError`."""
        done = Imported()
        events = (self._event(line) for line in lines_of(self._path))
        while batch := list(islice(events, BATCH)):
            new = sum(log.append(batch))
            about = {event.decision_id for event in batch}
            known = {event.decision.id for event in log.events(list(about))}
            waiting = sum(event.decision_id not in known for event in batch)
            done = Imported(done.new + new, done.known + len(batch) - new, done.waiting + waiting)
        return done

    def _event(self, line: Line) -> Feedback:
        values = line.values
        for column in values:
            if column not in COLUMNS:
                raise FeedbackFileError(f"{line.place}: there is no column {column!r}; {did_you_mean(column, COLUMNS)}")
        try:
            piece = FeedbackRequest.model_validate(self._members(values)).piece(_text(values.get("idempotency_key")))
            return to_event(piece, ADMIN.identity, _moment(values.get("at"), self._now), self._labels)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            column = ".".join(str(part) for part in first["loc"])
            said = first["msg"].removeprefix("Value error, ")
            raise FeedbackFileError(f"{line.place}: {column}: {said}" if column else f"{line.place}: {said}") from error
        except ValueError as error:
            raise FeedbackFileError(f"{line.place}: {error}") from error

    def _members(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row as the request that it stands for. Raises `ValueError`."""
        kind = str(values.get("kind", "")).strip().lower()
        if kind not in _WORDS:
            raise ValueError(f"kind is {kind!r}: write one of {', '.join(_WORDS)}")
        members = {"decision_id": values.get("decision_id"), "source": values.get("source", self._source)}
        return members | {"comment": _text(values.get("comment"))} | _WORDS[kind](values)


def _score(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"score": _number(values)}


def _thumb(values: Mapping[str, Any]) -> dict[str, Any]:
    said = str(values.get("value", "")).strip().lower().removesuffix(".0")
    if said not in _THUMBS:
        raise ValueError(f"value is {said!r}: write up or down")
    return {"binary": _THUMBS[said]}


def _preference(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"preference": {name: values.get(name) for name in ("preferred", "over")}}


def _label(values: Mapping[str, Any]) -> dict[str, Any]:
    if "name" not in values:
        raise ValueError("name is missing: write the label there")
    return {"label": values["name"]}


def _implicit(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"implicit": {"name": values.get("name"), "value": _number(values)}}


_WORDS: Final = {
    "score": _score,
    "binary": _thumb,
    "thumb": _thumb,
    "preference": _preference,
    "label": _label,
    "implicit": _implicit,
}


def _number(values: Mapping[str, Any]) -> float:
    said = values.get("value", "")
    try:
        return float(said)
    except (TypeError, ValueError):
        raise ValueError(f"value is {said!r}: write a number from 0 to 1") from None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _moment(value: Any, now: datetime) -> datetime:
    """Return when a row says that it was; a time without a zone is UTC. Raises `ValueError`."""
    if value is None:
        return now
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"at is {value!r}: write a time as 2026-01-31T12:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
