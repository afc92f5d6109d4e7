"""Feedback as callers write it, in a request or in a line of a file, as pydantic models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.feedback.opinion import Opinion, Piece
from gateway.feedback.tokens import PATTERN, decision_of

if TYPE_CHECKING:
    from gateway.events import FeedbackKind

ModelName = Annotated[str, Field(min_length=1, max_length=256)]
SignName = Annotated[str, Field(min_length=1, max_length=64)]
Score = Annotated[float, Field(ge=0, le=1, strict=True)]
Token = Annotated[str, Field(pattern=PATTERN)]
#: What is said; each piece of feedback says one of these.
WORDS: Final = ("score", "thumb", "binary", "preference", "label", "implicit")
#: Two words for the same kind.
KINDS: Final[dict[str, FeedbackKind]] = {
    "score": "score",
    "thumb": "binary",
    "binary": "binary",
    "preference": "preference",
    "label": "label",
    "implicit": "implicit",
}


class Preference(BaseModel):
    """One model's answer was preferred to another's."""

    model_config = ConfigDict(extra="forbid")

    preferred: ModelName
    over: ModelName


class Sign(BaseModel):
    """What was seen in an answer, or in what followed it, and what such an answer is worth."""

    model_config = ConfigDict(extra="forbid")

    name: SignName
    value: Score


class FeedbackRequest(BaseModel):
    """Feedback on one decision: exactly one of `score`, `thumb`, `binary`, `preference`, `label` and `implicit`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [{"required": [word], "properties": {word: {"not": {"type": "null"}}}} for word in WORDS],
            "anyOf": [
                {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
                for name in ("decision_id", "token")
            ],
        },
    )

    decision_id: UUID | None = Field(
        None, description="The `x-pointsman-decision-id` of the answer; a `token` says it too."
    )
    token: Token | None = Field(None, description="The `x-pointsman-feedback-token` of the answer.")
    score: Score | None = Field(None, description="From 0 (useless) to 1.")
    thumb: Literal["up", "down"] | None = None
    binary: Annotated[bool, Field(strict=True)] | None = Field(None, description="Whether it was good: as a thumb.")
    preference: Preference | None = None
    label: SignName | None = Field(None, description="A name for what the answer is; the configuration says its worth.")
    implicit: Sign | None = Field(None, description="What was seen, by a caller who is trusted with it.")
    source: str = Field("user", min_length=1, max_length=64, description="Who says so: a user, a grader, a judge.")
    comment: str | None = Field(None, max_length=4096)

    @model_validator(mode="after")
    def _one_word(self) -> Self:
        given = [word for word in WORDS if getattr(self, word) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of {', '.join(WORDS)} must be given, not {', '.join(given) or 'none'}")
        return self

    @model_validator(mode="after")
    def _one_decision(self) -> Self:
        if self.token is None and self.decision_id is None:
            raise ValueError("decision_id or token must be given")
        return self

    def piece(self, key: str | None = None) -> Piece:
        """Return it as a piece of feedback; `key` is that of a repeat."""
        decision_id = decision_of(self.token or "") if self.decision_id is None else self.decision_id
        return Piece(decision_id, self._opinion(), self.token, key)

    def _opinion(self) -> Opinion:
        word = next(word for word in WORDS if getattr(self, word) is not None)
        return Opinion(
            kind=KINDS[word],
            value=self._value(),
            model=self.preference.preferred if self.preference else None,
            other=self.preference.over if self.preference else None,
            name=self.implicit.name if self.implicit else self.label,
            source=self.source,
            comment=self.comment,
        )

    def _value(self) -> float | None:
        """Return it as a number: the score; 1 for what is good and what was preferred, 0 for bad; none of a label."""
        if self.label is not None:
            return None
        if self.implicit is not None:
            return self.implicit.value
        good = self.thumb == "up" or self.binary is True or self.preference is not None
        return self.score if self.score is not None else float(good)
