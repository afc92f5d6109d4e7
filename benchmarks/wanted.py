"""What is wanted of the gateway, and whether it was measured: ratios within one run, never absolute times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from report import (
    NOTHING,
    Results,
    events_per_cpu_s,
    number,
    per_cpu_s,
    quantile,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios import Kind
    from targets import Target
    from yardsticks import Yardsticks

OURS = "gateway"
COLUMNS = ("target", "wanted", "measured", "met")
#: Milliseconds between two events of a stream.
INTERVAL_MS = 20.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A figure that is wanted to be at least, or at most, so much; `value` is None where it was not measured.

    With a `bound` of None it is told beside the others only.
    """

    what: str
    bound: float | None
    value: float | None
    at_most: bool = False
    digits: int = 2

    @property
    def met(self) -> bool | None:
        """Tell whether it is as wanted, None where that is not known."""
        if self.value is None or self.bound is None:
            return None
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def row(self) -> list[str]:
        """Return its row of the table."""
        wanted = NOTHING if self.bound is None else f"{'at most' if self.at_most else 'at least'} {self.bound:g}"
        met = {None: NOTHING, True: "yes", False: "**no**"}[self.met]
        return [self.what, wanted, number(self.value, self.digits), met]


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares what was measured with what is wanted."""

    results: Results
    targets: Sequence[Target]
    yardsticks: Yardsticks
    streams_mb: float | None

    def table(self) -> str:
        """Return all that is wanted, in Markdown."""
        rows = [*self._requests(), *self._streams(), *self._auto(), *self._long(), *self._workers(), *self._resources()]
        return table(COLUMNS, [one.row() for one in rows])

    def _requests(self) -> Iterator[Wanted]:
        for rival, bound in (("litellm", 40), ("portkey", 8), ("tensorzero", 1), ("vllm-router", 0.5)):
            value = self.results.ratio(OURS, rival, "requests", per_cpu_s)
            yield Wanted(f"1. requests a CPU second, of {rival}'s", bound, value)
        for other in ("envoy", "nginx"):
            value = self.results.ratio(OURS, other, "requests", per_cpu_s)
            yield Wanted(f"1. the same, of {other}'s", None, value, digits=3)

    def _streams(self) -> Iterator[Wanted]:
        for rival, bound in (("litellm", 20), ("tensorzero", 1)):
            value = self.results.ratio(OURS, rival, "streams", events_per_cpu_s)
            yield Wanted(f"2. events a CPU second, of {rival}'s", bound, value)
        for name, bound in (("p50", 2), ("p99", 50)):
            added = self.results.added(OURS, "direct", "streams", quantile("ttfb_ms", name))
            yield Wanted(f"2. ms added to the first event, {name}", bound, added, at_most=True)
        way = self.results.figure(OURS, "streams", quantile("event_ms", "p99"))
        yield Wanted("2. ms that an event is under way, p99", INTERVAL_MS, way, at_most=True)

    def _auto(self) -> Iterator[Wanted]:
        value = self.results.ratio("static", OURS, "requests", per_cpu_s)
        yield Wanted("3. `auto` with `static`: requests a CPU second, of those by name", 0.5, value)
        added = self.results.added("minilm", "direct-varied", "latency", quantile("ms", "p50"))
        own = self.yardsticks.encode_ms
        times = added / own if added is not None and own else None
        yield Wanted("3. `auto` with `minilm`: p50 added, of the encoder's time for one text", 1.2, times, at_most=True)
        slowed = self.results.between("minilm-named", ("beside", "latency"), quantile("ms", "p99"))
        yield Wanted("3. p99 of requests without embedding, beside 20 a second with", 1.3, slowed, at_most=True)

    def _long(self) -> Iterator[Wanted]:
        kinds: tuple[tuple[Kind, str], ...] = (("long", "32 KB"), ("huge", "1 MB"))
        for kind, size in kinds:
            ours, copying = self._grown_us(OURS, kind), self._grown_us("nginx", kind)
            parse = self.yardsticks.parse_us[kind] - self.yardsticks.parse_us["requests"]
            value = None if ours is None else (ours - (copying or 0)) / parse
            less = "" if copying is None else ", less what nginx takes to pass it on"
            yield Wanted(f"4. {size}: CPU beyond that for 1 KB{less}, of one JSON parse", 1, value, at_most=True)

    def _grown_us(self, target: str, kind: Kind) -> float | None:
        small, large = (self.results.figure(target, one, per_cpu_s) for one in ("requests", kind))
        return 1e6 / large - 1e6 / small if small and large else None

    def _workers(self) -> Iterator[Wanted]:
        ratio = self.results.ratio("workers", OURS, "requests", per_cpu_s)
        value = None if ratio is None else 2 * ratio
        yield Wanted("5. two workers: requests in two CPU seconds, of one worker's in one", 1.8, value)

    def _resources(self) -> Iterator[Wanted]:
        slowed = self.results.between(OURS, ("overload", "latency"), quantile("ms", "p99"))
        yield Wanted("6. 2,000 connections: p99 of those taken, of the unloaded p99", 10, slowed, at_most=True)
        busy = self.results.between(OURS, ("overload", "requests"), quantile("ms", "p99"))
        yield Wanted("6. the same, of the p99 at 64 connections that never wait", None, busy)
        ours = [target for target in self.targets if target.name == OURS]
        for target in ours:
            yield Wanted("MB of memory, idle, without encoder", 150, target.idle_mb, at_most=True, digits=0)
            yield Wanted("MB more with 1,000 streams open", None, self._more_mb(target), digits=0)
            yield Wanted("s from start to first answer, without encoder", 2, target.start_s, at_most=True)
            yield Wanted("s of processor time for that", None, target.start_cpu_s)

    def _more_mb(self, target: Target) -> float | None:
        return None if self.streams_mb is None else self.streams_mb - target.idle_mb
