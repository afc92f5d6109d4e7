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

    def failed(self, target: str) -> int:
        """Return how many of a target's requests failed."""
        return sum(one.failed for (name, _, _), one in self._by_key.items() if name == target)

    def _pairs(self, target: str, base: str, kind: Kind) -> Iterator[tuple[Measurement, Measurement]]:
        for one in self.rounds(target, kind):
            other = self._by_key.get((base, kind, one.round))
            if other is not None:
                yield one, other


def tables(results: Results, targets: Sequence[Target]) -> str:
    """Return both tables, in Markdown."""
    shown = [target for target in targets if target.server is not None or not target.varies]
    streamed = [target for target in shown if any(results.rounds(target.name, "streams"))]
    requests = _table(REQUEST_COLUMNS, [_request_row(results, target) for target in shown])
    return f"{requests}\n\n{_table(STREAM_COLUMNS, [_stream_row(results, target) for target in streamed])}"


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
    "p95",
)


def _request_row(results: Results, target: Target) -> list[str]:
    base = "direct-varied" if target.varies else "direct"
    quantiles = [results.added(target.name, base, "latency", _quantile("ms", name)) for name in ("p50", "p95", "p99")]
    return [
        target.label,
        _number(results.ratio(target.name, "nginx", "requests", _per_cpu_s), 3),
        _number(results.ratio(target.name, "direct", "requests", _rps), 3),
        _number(results.figure(target.name, "requests", _per_cpu_s)),
        _number(results.figure(target.name, "requests", _rps)),
        _number(results.figure(target.name, "requests", _share), 2) if target.server else NOTHING,
        *(_number(value, 2) if target.server else NOTHING for value in quantiles),
        str(results.failed(target.name)),
    ]


def _stream_row(results: Results, target: Target) -> list[str]:
    quantiles = [results.added(target.name, "direct", "streams", _quantile("ttfb_ms", name)) for name in ("p50", "p95")]
    return [
        target.label,
        _number(results.ratio(target.name, "nginx", "streams", _events_per_cpu_s), 3),
        _number(results.figure(target.name, "streams", _events_per_cpu_s)),
        _number(results.figure(target.name, "streams", _events_per_s)),
        *(_number(value, 2) if target.server else NOTHING for value in quantiles),
    ]


def _per_cpu_s(one: Measurement) -> float | None:
    return one.requests_per_cpu_s


def _events_per_cpu_s(one: Measurement) -> float | None:
    return one.events_per_cpu_s


def _rps(one: Measurement) -> float:
    return float(one.load["rps"])


def _events_per_s(one: Measurement) -> float:
    return float(one.load["events_per_s"])


def _share(one: Measurement) -> float:
    return one.cpu_s / one.wall_s


def _quantile(times: str, name: str) -> Figure:
    return lambda one: float(one.load[times][name])


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _number(value: float | None, digits: int = 0) -> str:
    return NOTHING if value is None else f"{value:,.{digits}f}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
