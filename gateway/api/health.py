"""Probes and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from gateway.api.state import gateway_of

router = APIRouter()


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Tell that the process lives."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "It is about to stop."}})
async def readyz(request: Request, response: Response) -> dict[str, str]:
    """Tell whether requests should be sent here."""
    if gateway_of(request).stopping:
        response.status_code = 503
        return {"status": "stopping"}
    return {"status": "ready"}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """Return the metrics, of all workers where there are several, in Prometheus' text format."""
    return Response(await gateway_of(request).exposition(), media_type=CONTENT_TYPE_LATEST)
