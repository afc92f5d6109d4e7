"""Who calls: keys and tokens in `Authorization: Bearer`, and what they let their bearer ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.callers import OPEN
from gateway.errors import GatewayError, Unauthorized
from gateway.keys.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.callers import Access, Callers
    from gateway.deciding import Decider
    from gateway.metrics import Metrics

#: Names that a refusal lists at most.
MAX_NAMED: Final = 20


async def admitted(headers: Mapping[str, str], callers: Callers, at: datetime) -> Access:
    """Return what the key or token of a request gives access to. Raises as `Callers.admit` does."""
    return OPEN if callers.open else await callers.admit(shown_by(headers), at)


async def admit(headers: Mapping[str, str], callers: Callers, at: datetime, metrics: Metrics) -> Access:
    """Return what `admitted` does, and count those who are refused. Raises as `Callers.admit` does."""
    try:
        return await admitted(headers, callers, at)
    except GatewayError as error:
        metrics.unauthorized.labels(error.code).inc()
        raise


def shown_by(headers: Mapping[str, str]) -> str:
    """Return the key or token that a request shows. Raises `Unauthorized` where it shows none."""
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not shown.strip():
        raise Unauthorized("You did not provide an API key. Send one as 'Authorization: Bearer KEY'.")
    return shown.strip()


def check_scope(access: Access, name: str, decider: Decider) -> None:
    """Raise `NotPermitted` where the caller may not ask for what a name stands for, or cannot be served safely.

    That is so whether the name exists or not: who may not ask for it need not know.
    """
    if access.names is not None and not access.may_ask(name, decider.policies.known(name)):
        allowed = ", ".join(sorted(access.names or ())[:MAX_NAMED]) or "nothing"
        raise NotPermitted(f"This key may not ask for the model {name!r}; it may ask for: {allowed}.", param="model")
    if not access.constraints.data_classes:
        return
    ladder = decider.eligibility.data_classes
    known = () if ladder is None else ladder.names
    for data_class in sorted(access.constraints.data_classes.difference(known)):
        raise NotPermitted(
            f"This key's requests are {data_class!r}, a data class that this gateway does not know: it cannot tell who "
            "may see them."
        )
