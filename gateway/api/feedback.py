"""`POST /v1/feedback`: what somebody thought of an answer. Acknowledged once it is on disk."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.api.body import read_body
from gateway.api.openapi import JSON_RESPONSES, json_request
from gateway.api.state import authorised, gateway_of
from gateway.errors import FeedbackConflict
from gateway.events import Feedback, FeedbackKind

router = APIRouter(dependencies=[authorised], responses=JSON_RESPONSES)

ModelName = Annotated[str, Field(min_length=1, max_length=256)]


class Preference(BaseModel):
    """One model's answer was preferred to another's."""

    model_config = ConfigDict(extra="forbid")

    preferred: ModelName
    over: ModelName


class FeedbackRequest(BaseModel):
    """Feedback on one decision: exactly one of `score`, `thumb` and `preference`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [
                {"required": [kind], "properties": {kind: {"not": {"type": "null"}}}}
                for kind in ("score", "thumb", "preference")
            ]
        },
    )

    decision_id: UUID = Field(description="The `x-pointsman-decision-id` of the answer.")
    score: Annotated[float, Field(ge=0, le=1, strict=True)] | None = Field(None, description="From 0 (useless) to 1.")
    thumb: Literal["up", "down"] | None = None
    preference: Preference | None = None
    source: str = Field("user", min_length=1, max_length=64, description="Who says so: a user, a grader, a judge.")
    comment: str | None = Field(None, max_length=4096)

    @model_validator(mode="after")
    def _one_kind(self) -> FeedbackRequest:
        given = [kind for kind in ("score", "thumb", "preference") if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of score, thumb and preference must be given, not {given or 'none'}")
        return self

    @property
    def kind(self) -> FeedbackKind:
        """Return which of the three it is."""
        if self.score is not None:
            return "score"
        return "thumb" if self.thumb is not None else "preference"

    @property
    def value(self) -> float:
        """Return the feedback as a number: the score; 1 for up and for what was preferred, 0 for down."""
        return self.score if self.score is not None else float(self.thumb != "down")


class FeedbackStored(BaseModel):
    """The receipt."""

    object: Literal["feedback"] = "feedback"
    id: str
    decision_id: UUID
    status: Literal["stored"] = "stored"


@router.post("/feedback", status_code=202, openapi_extra=json_request(FeedbackRequest))
async def create_feedback(
    request: Request, idempotency_key: Annotated[str | None, Header(min_length=1, max_length=256)] = None
) -> FeedbackStored:
    """Store feedback, once: sent again, it is acknowledged again and counted no second time.

    Repeats are known by the `Idempotency-Key`, or without one by being the same. A decision need not be
    known yet: feedback may overtake it.
    """
    gateway = gateway_of(request)
    body = parse(await read_body(request, gateway.runtime.config.server))
    feedback = to_event(body, idempotency_key, datetime.now(UTC))
    is_new = await gateway.recorder.record_durably(feedback)
    if is_new:
        gateway.metrics.feedback.labels(feedback.kind).inc()
    elif idempotency_key is not None:
        stored = await asyncio.to_thread(gateway.log.feedback, feedback.id)
        if stored is not None and _content(stored) != _content(feedback):
            raise FeedbackConflict(
                f"The idempotency key {idempotency_key!r} was used for other feedback on this decision."
            )
    return FeedbackStored(id=feedback.id, decision_id=body.decision_id)


def parse(raw: bytes) -> FeedbackRequest:
    """Return a body as feedback. Raises `RequestValidationError`."""
    try:
        return FeedbackRequest.model_validate_json(raw)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def to_event(body: FeedbackRequest, idempotency_key: str | None, now: datetime) -> Feedback:
    """Return feedback as it is logged; its id is the same for a repeat."""
    distinct = idempotency_key if idempotency_key is not None else body.model_dump_json(exclude={"decision_id"})
    digest = hashlib.sha256(f"{body.decision_id}\n{distinct}".encode(errors="surrogatepass")).hexdigest()
    return Feedback(
        id=f"fb_{digest[:32]}",
        decision_id=body.decision_id,
        at=now,
        kind=body.kind,
        value=body.value,
        model=body.preference.preferred if body.preference else None,
        other=body.preference.over if body.preference else None,
        source=body.source,
        comment=body.comment,
    )


def _content(feedback: Feedback) -> tuple[object, ...]:
    """Return what makes two pieces of feedback the same, apart from when they came."""
    return feedback.kind, feedback.value, feedback.model, feedback.other, feedback.source, feedback.comment
