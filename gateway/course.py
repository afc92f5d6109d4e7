"""The course of one request over candidates, endpoints and keys: who is asked next, given how the last one failed.

It decides only; nothing here sends anything or waits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gateway.endpoints.balancing import in_order
from gateway.failures import Step, treatment
from providers.errors import ContextTooLong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from gateway.backend import Backend
    from gateway.endpoints.endpoint import Endpoint
    from gateway.endpoints.fleet import Fleet
    from providers.errors import ProviderError
    from routers.types import Candidate

#: Seconds before the same is asked again: doubled each time, and up to a quarter taken off at random.
FIRST_PAUSE_S: Final = 0.5
#: Seconds before a place is tried once more that has lost a connection: it shall have noticed that itself.
SAME_PAUSE_S: Final = 0.05
#: Nobody is kept waiting for longer than this; a client that is told to come back later can do something else.
LONGEST_PAUSE_S: Final = 5.0
#: Where a course has been before anybody was asked.
NOWHERE: Final[frozenset[tuple[str, str]]] = frozenset()


@dataclass(slots=True)
class Stop:
    """Whom to ask: a model, where, and with which key, after `wait_s` seconds. `step` says how it came to this."""

    candidate: Candidate
    endpoint: Endpoint
    key: str
    step: Step
    wait_s: float = 0.0


@dataclass(slots=True)
class Course:
    """The way down a ladder of candidates, each of whom is asked once by each of its endpoints and keys.

    Who rests or has asked to be left alone is not asked before that is over. Where nobody else is left, the request
    waits for them, `LONGEST_PAUSE_S` in all; of those that failed in passing, `repeats` are asked again.
    """

    ladder: Sequence[Candidate]
    backends: Mapping[str, Backend]
    fleet: Fleet
    rng: Random
    repeats: int
    # What is only known after a failure is not made before: nearly every course ends at its first stop.
    _tried: frozenset[tuple[str, str]] = NOWHERE
    _same: frozenset[tuple[str, str]] = NOWHERE
    _passing: dict[tuple[str, str], Stop] | None = None
    _order: dict[str, Sequence[Endpoint]] | None = None
    _window: int = 0
    _repeated: int = 0
    _waited_s: float = 0.0

    def first(self, now: float, left_s: float) -> Stop | None:
        """Return whom to ask first; None where all are to be left alone for longer than can be waited."""
        self.fleet.retries.requested()
        head = self.ladder[0]
        endpoints = self.backends[head.model].endpoints
        # Most models have one endpoint, with one key: there is nothing to be chosen.
        if len(endpoints) == 1 == len(endpoints[0].keys) and self.fleet.condition(endpoints[0].name).is_free(now):
            return Stop(head, endpoints[0], endpoints[0].keys[0], Step.CANDIDATE)
        return self._elsewhere(self.ladder, Step.CANDIDATE, now) or self._later(now, left_s, again=False)

    def after(self, last: Stop, error: ProviderError, now: float, left_s: float) -> Stop | None:
        """Return whom to ask after a failure; None where nobody is left."""
        self._tried |= {_place(last)}
        steps = treatment(error).steps
        if isinstance(error, ContextTooLong):
            self._window = max(self._window, last.candidate.context_window or 0)
        if Step.AGAIN in steps:
            self._passing = {**(self._passing or {}), _place(last): last}
        found = next((stop for step in steps if (stop := self._by(step, last, now))), None)
        if found is not None or not steps:
            return found
        return self._later(now, left_s, again=Step.AGAIN in steps)

    def look_again(self, stop: Stop, now: float, left_s: float) -> Stop | None:
        """Return whom to ask after a wait.

        Others may have found in the meantime that there is more to wait for: then somebody else comes first.
        """
        self._waited_s += stop.wait_s
        blocked_s = self._blocked_s(stop, now)
        elsewhere = (step for step in (Step.ENDPOINT, Step.CANDIDATE) if blocked_s)
        found = next((other for step in elsewhere if (other := self._by(step, stop, now))), None)
        return found or self._awaited([replace(stop, wait_s=blocked_s)], left_s)

    def shortest_wait(self, now: float) -> tuple[float, bool]:
        """Return for how many seconds nobody is to be asked, and whether that is what was asked for."""
        stops = self._stops(self.ladder, Step.CANDIDATE, now)
        waits = ((self._blocked_s(stop, now), self.fleet.wants_it(stop.endpoint, stop.key, now)) for stop in stops)
        return min(waits, default=(0.0, False))

    def _by(self, step: Step, last: Stop, now: float) -> Stop | None:
        """Return the stop to which a step leads, if it leads anywhere."""
        if step is Step.SAME:
            return self._at_once(last, now)
        if step is Step.KEY:
            return self._free((stop for stop in self._stops([last.candidate], step, now) if _here(stop, last)), now)
        if step is Step.ENDPOINT:
            return self._elsewhere([last.candidate], step, now)
        others = [one for one in self.ladder if one.model != last.candidate.model]
        return self._elsewhere(others, step, now) if step in (Step.CANDIDATE, Step.LARGER) else None

    def _at_once(self, last: Stop, now: float) -> Stop | None:
        """Return the same stop, once for each; where the place fails for everybody, its breaker is open."""
        if _place(last) in self._same or self._blocked_s(last, now):
            return None
        self._same |= {_place(last)}
        return replace(last, step=Step.SAME, wait_s=SAME_PAUSE_S)

    def _elsewhere(self, candidates: Sequence[Candidate], step: Step, now: float) -> Stop | None:
        """Return the first stop at an endpoint that has not been tried."""
        stops = self._stops(candidates, step, now)
        if self._tried:
            tried = {name for name, _ in self._tried}
            stops = (stop for stop in stops if stop.endpoint.name not in tried)
        return self._free(stops, now)

    def _free(self, stops: Iterator[Stop], now: float) -> Stop | None:
        """Return the first that may be asked now: where there is room, if there is any."""
        free = None
        for stop in stops:
            if not self._blocked_s(stop, now):
                if self.fleet.condition(stop.endpoint.name).gate.has_room:
                    return stop
                free = free or stop
        return free

    def _later(self, now: float, left_s: float, *, again: bool) -> Stop | None:
        """Return whom to wait for: who has not been asked yet, or `again` who failed in passing."""
        untried = [stop for stop in self._stops(self.ladder, Step.CANDIDATE, now) if _place(stop) not in self._tried]
        stops = [replace(stop, wait_s=self._blocked_s(stop, now)) for stop in untried]
        if again and self._repeated < self.repeats:
            pause_s = FIRST_PAUSE_S * 2**self._repeated * (1 - self.rng.random() / 4)
            stops += [
                replace(stop, step=Step.AGAIN, wait_s=max(pause_s, self._blocked_s(stop, now)))
                for stop in (self._passing or {}).values()
            ]
        found = self._awaited(stops, left_s)
        if found is not None and found.step is Step.AGAIN:
            self._repeated += 1
            return found if self.fleet.retries.spend(now) else None
        return found

    def _awaited(self, stops: Sequence[Stop], left_s: float) -> Stop | None:
        """Return the stop that is free soonest, if that is soon enough."""
        soonest = min(stops, key=lambda stop: stop.wait_s, default=None)
        longest_s = min(left_s, LONGEST_PAUSE_S - self._waited_s)
        return soonest if soonest is not None and soonest.wait_s <= longest_s else None

    def _blocked_s(self, stop: Stop, now: float) -> float:
        """Return how long a stop is not to be asked, and a little more: not all come back in the same moment."""
        blocked_s = self.fleet.blocked_s(stop.endpoint, stop.key, now)
        return blocked_s * (1 + self.rng.random() / 10) if blocked_s else 0.0

    def _stops(self, candidates: Sequence[Candidate], step: Step, now: float) -> Iterator[Stop]:
        """Yield every way to ask the candidates whose window may be large enough."""
        for candidate in candidates:
            if self._window and not _is_larger(candidate, self._window):
                continue
            for endpoint in self._endpoints(candidate, now):
                keys = endpoint.keys
                for key in keys if len(keys) == 1 else self.rng.sample(keys, len(keys)):
                    if (endpoint.name, key) not in self._tried:
                        yield Stop(candidate, endpoint, key, step)

    def _endpoints(self, candidate: Candidate, now: float) -> Sequence[Endpoint]:
        """Return a model's endpoints in the order in which this request asks them."""
        if self._order is None:
            self._order = {}
        if candidate.model not in self._order:
            backend = self.backends[candidate.model]
            ordered = in_order(backend.endpoints, self.fleet.condition, backend.balance, now, self.rng)
            self._order[candidate.model] = ordered
        return self._order[candidate.model]


def _place(stop: Stop) -> tuple[str, str]:
    return stop.endpoint.name, stop.key


def _here(stop: Stop, last: Stop) -> bool:
    return stop.endpoint.name == last.endpoint.name


def _is_larger(candidate: Candidate, window: int) -> bool:
    """Tell whether a candidate may take a prompt that did not fit into `window`; one of unknown size may."""
    return candidate.context_window is None or candidate.context_window > window
