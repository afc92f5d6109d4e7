"""`/admin/promotions`: how far candidates have come, for whoever has the admin key, and the way to move them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from gateway.api.body import read_body
from gateway.api.state import gateway_of
from gateway.api.written import parse_written
from gateway.errors import RequestError
from gateway.promotion.shown import shown
from gateway.promotion.steering import PromotionError, Wish

if TYPE_CHECKING:
    from gateway.promotion.progress import Progress

router = APIRouter()


class MoveRequest(BaseModel):
    """Where a candidate is to go: a state, or by default the next stage."""

    model_config = ConfigDict(extra="forbid")

    to: Literal["shadow", "canary", "ramp", "live", "rolled_back"] | None = None
    by: str = Field("operator", min_length=1, max_length=64, description="Who moves it, for the log.")
    why: str = Field("", max_length=1024, description="The reason, for the log.")


_MOVE: Final = TypeAdapter(MoveRequest)


@router.get("/admin/promotions")
async def list_promotions(request: Request) -> dict[str, Any]:
    """List the promotions under way, with their evidence."""
    progresses = gateway_of(request).promotions.progresses.values()
    return {"object": "list", "data": [_shown(progress) for progress in progresses]}


@router.get("/admin/promotions/{policy}")
async def retrieve_promotion(request: Request, policy: str) -> dict[str, Any]:
    """Describe a policy's promotion."""
    return _shown(_progress(request, policy))


@router.post("/admin/promotions/{policy}")
async def move_candidate(request: Request, policy: str) -> dict[str, Any]:
    """Move a policy's candidate, at once."""
    gateway, progress = gateway_of(request), _progress(request, policy)
    wanted = parse_written(await read_body(request.receive, gateway.runtime.config.server) or b"{}", _MOVE)
    try:
        await gateway.monitor.steer(progress, Wish(wanted.to, wanted.by, wanted.why))
    except PromotionError as error:
        raise RequestError(str(error), code="cannot_move") from error
    return _shown(progress)


def _progress(request: Request, policy: str) -> Progress:
    found = gateway_of(request).promotions.progresses.get(policy)
    if found is None:
        raise RequestError(f"The policy {policy!r} has no candidate.", code="no_candidate", param="policy")
    return found


def _shown(progress: Progress) -> dict[str, Any]:
    return shown(progress.rules, progress.standing, progress.sums)
