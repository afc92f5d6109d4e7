"""Endpoints of models, and how each one does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.endpoints.breaker import FIRST_REST_S, IN_A_ROW, LONGEST_REST_S, Breaker
from gateway.endpoints.concurrency import ConcurrencyLimit
from gateway.endpoints.gate import Gate
from gateway.endpoints.latency import PeakLatency

if TYPE_CHECKING:
    from providers.provider import Provider
    from providers.types import Target

#: Where an endpoint needs no key, this stands for it.
NO_KEY = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place where a model is reached: `name` is its own among all, `keys` name the keys that are taken in turn.

    `weight` is its share of the requests beside the model's other endpoints.
    """

    name: str
    provider: Provider
    target: Target
    keys: tuple[str, ...] = (NO_KEY,)
    weight: float = 1.0


@dataclass(slots=True)
class KeyRest:
    """Until when a key is not used at an endpoint, and how often in a row it was refused or limited there.

    `asked_for` tells that the endpoint wants to be left alone, and has not refused the key.
    """

    until: float = 0.0
    in_a_row: int = 0
    asked_for: bool = False

    def spare(self, now: float, seconds: float, *, asked_for: bool) -> None:
        """Let it rest so long, and longer each time from the third time in a row on.

        Requests that were under way together fail together: while it rests, they count for nothing.
        """
        if self.until <= now:
            self.in_a_row += 1
        further_s = FIRST_REST_S * 2 ** min(self.in_a_row - IN_A_ROW, 10) if self.in_a_row >= IN_A_ROW else 0.0
        self.until = max(self.until, now + max(seconds, min(further_s, LONGEST_REST_S)))
        self.asked_for = asked_for


@dataclass(slots=True)
class Condition:
    """How an endpoint does, and each key there."""

    breaker: Breaker = field(default_factory=Breaker)
    gate: Gate = field(default_factory=lambda: Gate(ConcurrencyLimit()))
    latency: PeakLatency = field(default_factory=PeakLatency)
    keys: dict[str, KeyRest] = field(default_factory=dict)

    def is_free(self, now: float) -> bool:
        """Tell whether a request would be taken at once, with whichever key: nothing rests, and there is room."""
        return not self.keys and self.breaker.blocked_s(now) == 0.0 and self.gate.has_room

    def load(self, now: float, weight: float) -> float:
        """Return what another request would have to wait for, beside other endpoints: seconds by weight."""
        return (self.latency.at(now) + 1e-6) * (self.gate.in_flight + 1) / weight
