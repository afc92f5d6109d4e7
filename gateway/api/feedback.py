"""`/v1/feedback`: what somebody thought of an answer. Acknowledged once it is on disk; deleted for good."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, Field, TypeAdapter

from gateway.api.auth import admitted, shown_by
from gateway.api.body import read_body
from gateway.api.openapi import JSON_RESPONSES, json_request
from gateway.api.state import gateway_of
from gateway.api.written import parse_written, refuse_web_pages
from gateway.errors import GatewayError
from gateway.events import FeedbackKind
from gateway.feedback.rights import ADMIN, Rater
from gateway.feedback.written import FeedbackRequest

if TYPE_CHECKING:
    from gateway.callers import Callers
    from gateway.events import Feedback
    from gateway.feedback.opinion import Piece

#: Pieces of feedback in one request at most.
MAX_LISTED: Final = 1000

_ONE: Final = TypeAdapter(FeedbackRequest)
_LISTED: Final = TypeAdapter(Annotated[list[FeedbackRequest], Field(min_length=1, max_length=MAX_LISTED)])


async def _authorise(request: Request) -> None:
    """Let pass callers, and whoever shows the admin key."""
    gateway = gateway_of(request)
    try:
        with gateway.runtime.in_use() as runtime:
            request.state.rater = await _rater(request, runtime.callers)
    except GatewayError as error:
        gateway.metrics.unauthorized.labels(error.code).inc()
        raise


async def _rater(request: Request, callers: Callers) -> Rater:
    if callers.administered and "authorization" in request.headers and callers.is_admin(shown_by(request.headers)):
        return ADMIN
    access = await admitted(request.headers, callers, datetime.now(UTC))
    return gateway_of(request).intake.rules.rater(access, open_=callers.open)


router = APIRouter(dependencies=[Depends(_authorise)], responses=JSON_RESPONSES)


class FeedbackStored(BaseModel):
    """The receipt."""

    object: Literal["feedback"] = "feedback"
    id: str
    decision_id: UUID
    status: Literal["stored"] = "stored"


class FeedbackList(BaseModel):
    """The receipts of several pieces, in their order."""

    object: Literal["list"] = "list"
    data: list[FeedbackStored]


class FeedbackFound(BaseModel):
    """A piece of feedback, as it was stored."""

    object: Literal["feedback"] = "feedback"
    id: str
    decision_id: UUID
    created: datetime
    kind: FeedbackKind
    value: float | None
    model: str | None
    other: str | None
    name: str | None
    source: str
    comment: str | None


class FeedbackDeleted(BaseModel):
    """What is left of a piece of feedback."""

    object: Literal["feedback.deleted"] = "feedback.deleted"
    id: str
    decision_id: UUID
    deleted: Literal[True] = True


class FeedbackDeletedList(BaseModel):
    """What is left of several."""

    object: Literal["list"] = "list"
    data: list[FeedbackDeleted]


@router.post("/feedback", status_code=202, openapi_extra=json_request(FeedbackRequest, listed=MAX_LISTED))
async def create_feedback(
    request: Request, idempotency_key: Annotated[str | None, Header(min_length=1, max_length=256)] = None
) -> FeedbackStored | FeedbackList:
    """Store feedback, once: sent again, it is acknowledged again and counted no second time.

    A list is several pieces; none is stored where one is refused. Repeats are known by the `Idempotency-Key`, or
    without one by being the same. A decision need not be known yet: feedback may overtake it.
    """
    gateway = gateway_of(request)
    refuse_web_pages(request)
    raw = await read_body(request.receive, gateway.runtime.config.server)
    if raw.lstrip().startswith(b"["):
        keys = (idempotency_key and f"{idempotency_key}/{n}" for n in range(MAX_LISTED))
        listed = parse_written(raw, _LISTED)
        pieces = [one.piece(key) for one, key in zip(listed, keys, strict=False)]
        return FeedbackList(data=[_receipt(one) for one in await _take(request, pieces)])
    piece = parse_written(raw, _ONE).piece(idempotency_key)
    (stored,) = await _take(request, [piece])
    return _receipt(stored)


@router.get("/feedback/{feedback_id}")
async def retrieve_feedback(request: Request, feedback_id: str) -> FeedbackFound:
    """Return a piece of feedback to whoever gave it."""
    found = await gateway_of(request).intake.find(feedback_id, _of(request))
    shown: dict[str, Any] = {name: getattr(found, name) for name in FeedbackFound.model_fields if hasattr(found, name)}
    return FeedbackFound(**shown, created=found.at)


@router.delete("/feedback/{feedback_id}")
async def delete_feedback(request: Request, feedback_id: str) -> FeedbackDeleted:
    """Delete a piece of feedback for good: what was learned from it is unlearned."""
    erased = await gateway_of(request).intake.erase(_of(request), datetime.now(UTC), feedback_id=feedback_id)
    return FeedbackDeleted(id=erased[0].feedback_id, decision_id=erased[0].decision_id)


@router.delete("/feedback")
async def delete_feedback_of_decision(request: Request, decision_id: Annotated[UUID, Query()]) -> FeedbackDeletedList:
    """Delete all feedback on a decision that is the caller's own; whoever has the admin key deletes all."""
    erased = await gateway_of(request).intake.erase(_of(request), datetime.now(UTC), decision_id=decision_id)
    return FeedbackDeletedList(
        data=[FeedbackDeleted(id=one.feedback_id, decision_id=one.decision_id) for one in erased]
    )


async def _take(request: Request, pieces: list[Piece]) -> list[Feedback]:
    return await gateway_of(request).intake.take(pieces, _of(request), datetime.now(UTC))


def _of(request: Request) -> Rater:
    return cast("Rater", request.state.rater)


def _receipt(stored: Feedback) -> FeedbackStored:
    return FeedbackStored(id=stored.id, decision_id=stored.decision_id)
