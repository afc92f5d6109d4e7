"""What a judge found, as feedback."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.events import Feedback

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from gateway.judging.rules import Mode


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge found of a model's answer.

    `value` is in [0, 1]: a grade, or how far the answer is preferred to that of the model `other`. `chance` is the
    probability with which it was judged, `prompt` names what the judge was told, and `characters` are how long the
    answers are that were judged: by these it can be told later how far judges go by length.
    """

    judge: str
    mode: Mode
    value: float
    model: str
    other: str | None
    chance: float
    prompt: str
    characters: tuple[int, ...]


def feedback(opinion: Opinion, decision: UUID, at: datetime) -> Feedback:
    """Return an opinion as feedback. Its comment is JSON: `sampled` is the probability, as estimates need it."""
    said = f"{decision}\n{opinion.judge}\n{opinion.mode}\n{opinion.prompt}"
    comment = {
        "sampled": round(opinion.chance, 9),
        "mode": opinion.mode,
        "prompt": opinion.prompt,
        "characters": list(opinion.characters),
    }
    return Feedback(
        id=f"jd_{hashlib.sha256(said.encode()).hexdigest()[:32]}",
        decision_id=decision,
        at=at,
        kind="score" if opinion.mode == "score" else "preference",
        value=opinion.value,
        model=None if opinion.mode == "score" else opinion.model,
        other=opinion.other,
        source=f"judge:{opinion.judge}",
        comment=json.dumps(comment, separators=(",", ":")),
    )
