"""All endpoints: where each model is reached, and how each endpoint and each key does. It outlives configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.endpoints.endpoint import Condition, KeyRest
from gateway.endpoints.retry_budget import RetryBudget
from gateway.failures import treatment
from gateway.hedging.delays import Delays
from providers.errors import RateLimited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.endpoints.endpoint import Endpoint
    from providers.errors import ProviderError
    from routers.types import Candidate

#: A server that asks for longer is asked again after this; what it says may be a mistake.
LONGEST_KEY_REST_S: Final = 3600.0


class Fleet:
    """Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self.retries = RetryBudget()
        #: How long models took until their answers began.
        self.delays = Delays()
        self._endpoints: Mapping[str, Sequence[Endpoint]] = {}
        self._conditions: dict[str, Condition] = {}

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """Return how each endpoint does, by name."""
        return self._conditions

    def take(self, endpoints: Mapping[str, Sequence[Endpoint]], conditions: Mapping[str, Condition]) -> None:
        """Take the endpoints of each model; of those that were known already, how they do is kept.

        `conditions` are new, as the configuration has them: limits and queues are taken from there.
        """
        self._endpoints = endpoints
        kept = {name: self._conditions.get(name, condition) for name, condition in conditions.items()}
        for name, condition in kept.items():
            condition.gate.resize(conditions[name].gate)
        self._conditions = kept

    def condition(self, name: str) -> Condition:
        """Return how an endpoint does."""
        found = self._conditions.get(name)
        if found is None:
            found = self._conditions[name] = Condition()
        return found

    def tiers(self, candidates: Sequence[Candidate], now: float) -> list[tuple[Candidate, ...]]:
        """Return who would be asked at once; with them, those for whom one has to wait in a queue; and all.

        Tiers without anybody, and those that add nobody, are left out. Of a model without endpoints nothing is known:
        it would be asked.
        """
        free = tuple([one for one in candidates if self.free(one, now)])
        if len(free) == len(candidates):
            return [free]
        awake = tuple([one for one in candidates if self._would_wait(one, now)])
        found: list[tuple[Candidate, ...]] = []
        for tier in (free, awake, tuple(candidates)):
            if len(tier) > len(found[-1] if found else ()):
                found.append(tier)
        return found

    def free(self, candidate: Candidate, now: float) -> bool:
        """Tell whether a candidate would be asked at once."""
        endpoints = self._endpoints.get(candidate.model, ())
        for endpoint in endpoints:
            condition = self.condition(endpoint.name)
            if condition.is_free(now) or (self._awake(endpoint, now) and condition.gate.has_room):
                return True
        return not endpoints

    def load(self, candidate: Candidate) -> float:
        """Return what share of its room is taken, where a model has most; 0 where nothing is known of it."""
        gates = [self.condition(endpoint.name).gate for endpoint in self._endpoints.get(candidate.model, ())]
        return min((gate.in_flight / max(gate.limit.limit, 1) for gate in gates), default=0.0)

    def _would_wait(self, candidate: Candidate, now: float) -> bool:
        """Tell whether a candidate would be asked, at once or after waiting in a queue."""
        endpoints = self._endpoints.get(candidate.model, ())
        return not endpoints or any(self._awake(endpoint, now) for endpoint in endpoints)

    def _awake(self, endpoint: Endpoint, now: float) -> bool:
        condition = self.condition(endpoint.name)
        if condition.breaker.blocked_s(now) > 0:
            return False
        return not condition.keys or any(self.key_rests_until(endpoint, key) <= now for key in endpoint.keys)

    def blocked_s(self, endpoint: Endpoint, key: str, now: float) -> float:
        """Return for how many seconds an endpoint may not be asked with a key."""
        condition = self.condition(endpoint.name)
        blocked_s = condition.breaker.blocked_s(now)
        return max(blocked_s, self.key_rests_until(endpoint, key) - now, 0.0) if condition.keys else blocked_s

    def wants_it(self, endpoint: Endpoint, key: str, now: float) -> bool:
        """Tell whether an endpoint has asked to be left alone, by this key or at all."""
        condition = self.condition(endpoint.name)
        rest = condition.keys.get(key)
        return condition.breaker.waits_until > now or (rest is not None and rest.asked_for and rest.until > now)

    def key_rests_until(self, endpoint: Endpoint, key: str) -> float:
        """Return until when a key rests at an endpoint."""
        rest = self.condition(endpoint.name).keys.get(key)
        return rest.until if rest is not None else 0.0

    def answered(self, endpoint: Endpoint, key: str, seconds: float, now: float) -> None:
        """Note that an answer began, after so many seconds."""
        condition = self.condition(endpoint.name)
        condition.keys.pop(key, None)
        condition.breaker.succeeded(now)
        condition.latency.note(seconds, now)
        condition.gate.limit.succeeded(condition.gate.in_flight)

    def failed(self, endpoint: Endpoint, key: str, error: ProviderError, now: float) -> None:
        """Spare what a failure says is to be spared."""
        condition, how = self.condition(endpoint.name), treatment(error)
        if how.overload:
            condition.gate.limit.overloaded(condition.gate.in_flight, now)
        wait_s = error.retry_after_s
        if how.spares == "endpoint":
            condition.breaker.failed(now, at_once=how.at_once)
        else:
            condition.breaker.abandoned()
        if how.spares == "endpoint" and wait_s is not None:
            condition.breaker.told_to_wait(now, wait_s)
        if how.spares == "key":
            rest_s = min(how.rest_s if wait_s is None else wait_s, LONGEST_KEY_REST_S)
            asked_for = isinstance(error, RateLimited)
            condition.keys.setdefault(key, KeyRest()).spare(now, rest_s, asked_for=asked_for)
