"""An opinion on an answer, whichever way it comes, and the event that it becomes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from gateway.events import Feedback

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from gateway.events import FeedbackKind


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody says of the answer to a decision; its fields are those of `Feedback`."""

    kind: FeedbackKind
    value: float | None = None
    model: str | None = None
    other: str | None = None
    name: str | None = None
    source: str = "user"
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """An opinion as it was sent: on which decision, the token that was shown with it, and the key of a repeat."""

    decision_id: UUID
    opinion: Opinion
    token: str | None = None
    key: str | None = None


def to_event(piece: Piece, caller: str, at: datetime, labels: Mapping[str, float]) -> Feedback:
    """Return a piece as it is logged; its id is the same for a repeat by the same caller.

    Repeats are known by their key, or without one by saying the same. A label has the worth that `labels` gives it.
    """
    opinion = piece.opinion
    distinct = json.dumps(astuple(opinion)) if piece.key is None else f"key\n{piece.key}"
    said = json.dumps([str(piece.decision_id), caller, distinct])
    digest = hashlib.sha256(said.encode()).hexdigest()
    return Feedback(
        id=f"fb_{digest[:32]}",
        decision_id=piece.decision_id,
        at=at,
        kind=opinion.kind,
        value=labels.get(opinion.name or "") if opinion.kind == "label" else opinion.value,
        model=opinion.model,
        other=opinion.other,
        source=opinion.source,
        comment=opinion.comment,
        name=opinion.name,
        caller=caller,
    )


def opinion_of(feedback: Feedback) -> Opinion:
    """Return what feedback says, apart from who said it of what, and when. A label's worth is not part of it."""
    return Opinion(
        feedback.kind,
        None if feedback.kind == "label" else feedback.value,
        feedback.model,
        feedback.other,
        feedback.name,
        feedback.source,
        feedback.comment,
    )
