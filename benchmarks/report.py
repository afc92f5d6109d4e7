"""The report: medians over the rounds, ratios and differences taken within each round."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scenarios import Kind, Measurement
    from targets import Target

    Figure = Callable[[Measurement], float | None]

NOTHING = "-"


class Results:
    """All measurements, by target, kind and round."""

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self._by_key = {(one.target, one.kind, one.round): one for one in measurements}

    def rounds(self, target: str, kind: Kind) -> Iterator[Measurement]:
        """Yield what was measured of a target in one way."""
        return (one for (name, way, _), one in self._by_key.items() if (name, way) == (target, kind))

    def figure(self, target: str, kind: Kind, figure: Figure) -> float | None:
        """Return the median of a figure."""
        return _median([figure(one) for one in self.rounds(target, kind)])

    def ratio(self, target: str, base: str, kind: Kind, figure: Figure) -> float | None:
        """Return the median of a figure's ratio to the base's in the same round."""
        pairs = [(figure(one), figure(other)) for one, other in self._pairs(target, base, kind)]
        return _median([one / other for one, other in pairs if one is not None and other])

    def added(self, target: str, base: str, kind: Kind, figure: Figure) -> float | None:
        """Return the median of a figure's difference from the base's in the same round."""
        pairs = [(figure(one), figure(other)) for one, other in self._pairs(target, base, kind)]
        return _median([one - other for one, other in pairs if one is not None and other is not None])

    def between(self, target: str, kinds: tuple[Kind, Kind], figure: Figure) -> float | None:
        """Return the median of a figure's ratio under one load to that under another in the same round."""
        pairs = [(one, self._by_key.get((target, kinds[1], one.round))) for one in self.rounds(target, kinds[0])]
        figures = [(figure(one), figure(other)) for one, other in pairs if other is not None]
        return _median([one / other for one, other in figures if one is not None and other])

    def failed(self, target: str) -> int:
        """Return how many of a target's requests failed."""
        return sum(one.failed for (name, _, _), one in self._by_key.items() if name == target)

    def _pairs(self, target: str, base: str, kind: Kind) -> Iterator[tuple[Measurement, Measurement]]:
        for one in self.rounds(target, kind):
            other = self._by_key.get((base, kind, one.round))
            if other is not None:
                yield one, other


def tables(results: Results, targets: Sequence[Target]) -> str:
    """Return the tables of requests, of streams, of longer prompts, and of overload, in Markdown."""
    shown = [target for target in targets if target.server is not None or not target.varies]
    streamed = [target for target in shown if any(results.rounds(target.name, "streams"))]
    longer = [target for target in shown if any(results.rounds(target.name, "long"))]
    loaded = [target for target in shown if any(results.rounds(target.name, "overload"))]
    shown = [target for target in shown if any(results.rounds(target.name, "requests"))]
    found = [
        table(REQUEST_COLUMNS, [_request_row(results, target) for target in shown]),
        table(STREAM_COLUMNS, [_stream_row(results, target) for target in streamed]),
        table(LONG_COLUMNS, [_long_row(results, target) for target in longer]),
        table(OVERLOAD_COLUMNS, [_overload_row(results, target) for target in loaded]),
    ]
    return "\n\n".join(found)


REQUEST_COLUMNS = (
    "requests",
    "of nginx, per CPU second",
    "of direct, per second",
    "a CPU second",
    "a second",
    "core used",
    "added ms, p50",
    "p95",
    "p99",
    "failed",
)
STREAM_COLUMNS = (
    "streams",
    "of nginx, per CPU second",
    "events a CPU second",
    "events a second",
    "added ms to the first event, p50",
    "p99",
    "ms that an event is under way, p99",
)
LONG_COLUMNS = ("CPU microseconds a request", "1 KB", "32 KB", "1 MB")
OVERLOAD_COLUMNS = ("2,000 connections", "taken a second", "ms, p50", "p99", "refused", "failed")


def _request_row(results: Results, target: Target) -> list[str]:
    base = "direct-varied" if target.varies else "direct"
    quantiles = [results.added(target.name, base, "latency", quantile("ms", name)) for name in ("p50", "p95", "p99")]
    return [
        target.label,
        number(results.ratio(target.name, "nginx", "requests", per_cpu_s), 3),
        number(results.ratio(target.name, "direct", "requests", _rps), 3),
        number(results.figure(target.name, "requests", per_cpu_s)),
        number(results.figure(target.name, "requests", _rps)),
        number(results.figure(target.name, "requests", _share), 2) if target.server else NOTHING,
        *(number(value, 2) if target.server else NOTHING for value in quantiles),
        str(results.failed(target.name)),
    ]


def _stream_row(results: Results, target: Target) -> list[str]:
    quantiles = [results.added(target.name, "direct", "streams", quantile("ttfb_ms", name)) for name in ("p50", "p99")]
    return [
        target.label,
        number(results.ratio(target.name, "nginx", "streams", events_per_cpu_s), 3),
        number(results.figure(target.name, "streams", events_per_cpu_s)),
        number(results.figure(target.name, "streams", _events_per_s)),
        *(number(value, 2) if target.server else NOTHING for value in quantiles),
        number(results.figure(target.name, "streams", quantile("event_ms", "p99")), 1),
    ]


def _long_row(results: Results, target: Target) -> list[str]:
    kinds: tuple[Kind, ...] = ("requests", "long", "huge")
    return [target.label, *(number(results.figure(target.name, kind, _cpu_us)) for kind in kinds)]


def _overload_row(results: Results, target: Target) -> list[str]:
    measured = list(results.rounds(target.name, "overload"))
    return [
        target.label,
        number(results.figure(target.name, "overload", _rps)),
        *(number(results.figure(target.name, "overload", quantile("ms", name)), 1) for name in ("p50", "p99")),
        number(sum(one.refused for one in measured)),
        number(sum(one.failed for one in measured)),
    ]


def _cpu_us(one: Measurement) -> float | None:
    rate = one.requests_per_cpu_s
    return 1e6 / rate if rate else None


def per_cpu_s(one: Measurement) -> float | None:
    """Return the requests a second of processor time."""
    return one.requests_per_cpu_s


def events_per_cpu_s(one: Measurement) -> float | None:
    """Return the events a second of processor time."""
    return one.events_per_cpu_s


def _rps(one: Measurement) -> float:
    return float(one.load["rps"])


def _events_per_s(one: Measurement) -> float:
    return float(one.load.get("events_per_s", 0))


def _share(one: Measurement) -> float:
    return one.cpu_s / one.wall_s


def quantile(times: str, name: str) -> Figure:
    """Return a quantile of one of the load generator's times, in milliseconds."""
    return lambda one: float(one.load[times][name]) if one.load.get(times, {}).get("n") else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def number(value: float | None, digits: int = 0) -> str:
    """Return a number as the tables have it."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, its numbers to the right."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
