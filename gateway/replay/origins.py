"""Which decision a request owes its model to: within a session, the one that last asked a router."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.replay.request import Request


def origins_of(requests: Sequence[Request]) -> list[int | None]:
    """Return of each request, in the order of time, the number of the one whose decision it goes by.

    A request that was free to go anywhere goes by its own. One that kept the model of its session goes by the last
    one of the session that was free, and had that model: under another policy, the session would have gone on with
    the model that it had begun with. None where the log does not have that one.

    Precup, Sutton and Singh, "Eligibility Traces for Off-Policy Policy Evaluation" (2000): a choice that follows from
    an earlier one has the weight of that one.
    """
    last: dict[tuple[str, str, str], int] = {}
    found: list[int | None] = []
    for number, request in enumerate(requests):
        key = (request.caller, request.session or "", request.chosen)
        if request.held:
            found.append(last.get(key) if request.session else None)
            continue
        found.append(number)
        last[request.caller, request.session or "", request.served or request.chosen] = number
    return found
