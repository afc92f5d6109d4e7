"""Who calls: keys in `Authorization: Bearer`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.callers import OPEN
from gateway.errors import Unauthorized

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.callers import Access, Callers


def access_of(request: Request, callers: Callers) -> Access:
    """Return what the request's key gives access to. Raises `Unauthorized` where it shows none, or a wrong one."""
    if callers.open:
        return OPEN
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not shown:
        raise Unauthorized("You did not provide an API key. Send one as 'Authorization: Bearer KEY'.")
    access = callers.identify(shown.strip())
    if access is None:
        raise Unauthorized("Incorrect API key provided.")
    return access
