"""Who may call: keys in `Authorization: Bearer`, compared in constant time."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from gateway.errors import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request


def check_key(request: Request, keys: Sequence[str]) -> None:
    """Raise `Unauthorized` unless the request shows one of the keys, or none is asked for."""
    if not keys:
        return
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not shown:
        raise Unauthorized("You did not provide an API key. Send one as 'Authorization: Bearer KEY'.")
    # All are compared, so that the time taken tells nothing.
    matches = [hmac.compare_digest(shown.strip().encode(), key.encode()) for key in keys]
    if not any(matches):
        raise Unauthorized("Incorrect API key provided.")
