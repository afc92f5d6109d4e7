"""The metrics of several processes as one: sums of what is counted, and of gauges what says most."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from prometheus_client.core import Metric, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prometheus_client import CollectorRegistry

#: Gauges of which the least of all workers holds: what is good only where all are, and what is known only so far.
LEAST: Final = frozenset(
    {
        "pointsman_config_last_reload_successful",
        "pointsman_redis_up",
        "pointsman_learned_version",
        "pointsman_learned_rows",
        "pointsman_learning_last_success_seconds",
        "pointsman_promise_setting",
    }
)
#: Those of which the greatest does: alarms, and what is the same everywhere but for a moment.
GREATEST: Final = frozenset(
    {
        "pointsman_config_info",
        "pointsman_promise_bound",
        "pointsman_promise_alarm",
        "pointsman_promotion_state",
        "pointsman_promotion_share",
        "pointsman_learning_lag_seconds",
        "pointsman_replicas",
        "pointsman_replicas_differing",
    }
)

#: What stands for a sample: its name and labels.
_Key = tuple[str, tuple[tuple[str, str], ...]]


class Family(NamedTuple):
    """A metric with all of its samples, each with its name, labels and value, as it is sent: nothing but data."""

    name: str
    documentation: str
    type: str
    samples: Sequence[tuple[str, dict[str, str], float]]


def families(registry: CollectorRegistry) -> list[Family]:
    """Return what a process has counted."""
    return [
        Family(one.name, one.documentation, one.type, [(s.name, s.labels, s.value) for s in one.samples])
        for one in registry.collect()
    ]


@dataclass(slots=True)
class _Merged:
    documentation: str
    type: str
    values: dict[_Key, float] = field(default_factory=dict)


class Merged:
    """Adds processes up, one after the other."""

    def __init__(self) -> None:
        self._metrics: dict[str, _Merged] = {}

    def add(self, sent: Iterable[Sequence[Any]], *, gauges: bool = True) -> None:
        """Add what a process has counted; what it shows does not count any more once it has ended."""
        for family in map(Family._make, sent):
            if family.type == "gauge" and not gauges:
                continue
            merged = self._metrics.setdefault(family.name, _Merged(family.documentation, family.type))
            for name, labels, value in family.samples:
                key = name, tuple(sorted(labels.items()))
                known = merged.values.get(key)
                merged.values[key] = value if known is None else _rule(family, name)(known, value)

    def families(self) -> Iterator[Family]:
        """Yield all, as they are sent."""
        for name, one in self._metrics.items():
            samples = [(sample, dict(labels), value) for (sample, labels), value in one.values.items()]
            yield Family(name, one.documentation, one.type, samples)


class Shown:
    """Metrics as `prometheus_client` writes them."""

    def __init__(self, sent: Iterable[Sequence[Any]]) -> None:
        self._families = [Family._make(one) for one in sent]

    def collect(self) -> Iterator[Metric]:
        """Yield each metric."""
        for family in self._families:
            metric = Metric(family.name, family.documentation, family.type)
            metric.samples = [Sample(name, labels, value) for name, labels, value in family.samples]
            yield metric


def _rule(family: Family, sample: str) -> Callable[[float, float], float]:
    """Return how two values of a sample become one."""
    if family.type == "gauge":
        return min if family.name in LEAST else max
    return min if sample.endswith("_created") else _plus


def _plus(one: float, other: float) -> float:
    return one + other
