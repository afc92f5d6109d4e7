"""An answer that is given again from the cache: nothing is sent, nothing is owed, and no decision is logged."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.charging import Charge
from gateway.cost_in_usage import CostOfStream, costed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from gateway.caching.hit import Hit
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
        body = b"".join([piece async for together in self._reply.body() for piece in together])
        return costed(body, FREE, self._reply, self._routed.context.prompt_tokens) if self._include_cost else body

    async def events(self) -> AsyncGenerator[Sequence[bytes]]:
        """Yield the answer's events."""
        cost = CostOfStream(self._reply, self._routed.context.prompt_tokens, lambda: FREE)
        async for events in self._reply.body():
            yield cost.added(events) if self._include_cost else events
