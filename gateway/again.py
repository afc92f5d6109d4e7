"""An answer that is given again from the cache: nothing is sent, nothing is owed, and no decision is logged."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.charging import Charge
from gateway.cost_in_usage import CostOfStream, costed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.caching.hit import Hit
    from gateway.client import Outlet
    from gateway.deliberation import Routed

FREE = Charge(Decimal(0), None)


class Again:
    """Relays what was answered before, as the exchange does what is answered now."""

    def __init__(self, hit: Hit, routed: Routed, *, include_cost: bool) -> None:
        self._reply = hit.reply(routed.chat)
        self._routed = routed
        self._hit = hit
        self._include_cost = include_cost

    @property
    def trace(self) -> Mapping[str, Any]:
        """Return the trace of the decision that led to the answer."""
        return self._routed.trace.as_json()

    @property
    def decision_id(self) -> UUID:
        """Return the decision that the answer comes from."""
        return UUID(self._hit.entry.decision_id)

    @property
    def streams(self) -> bool:
        """Tell whether the answer is a stream."""
        return self._reply.streams

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the answer: where it comes from, and how old it is."""
        policy = {"x-pointsman-policy": self._routed.matched.steps[0].policy.name}
        rule = self._routed.matched.rule
        return policy | ({"x-pointsman-rule": rule} if rule is not None else {}) | self._hit.headers

    async def whole(self) -> bytes:
        """Return the answer."""
        pieces: list[bytes] = []
        await self._reply.pour(pieces.extend)
        body = b"".join(pieces)
        return costed(body, FREE, self._reply, self._routed.context.prompt_tokens) if self._include_cost else body

    async def relay(self, outlet: Outlet) -> None:
        """Give a client the answer's events. Raises `ClientLeft`."""
        cost = CostOfStream(self._reply, self._routed.context.prompt_tokens, lambda: FREE)

        def sink(events: Sequence[bytes]) -> bool:
            return outlet.write(cost.added(events) if self._include_cost else events)

        while await self._reply.pour(sink):
            await outlet.drained()
