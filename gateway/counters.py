"""Counters and histograms of the event loop: what `prometheus_client` would count, without its locks.

They are collected as its own are, and look the same. Its children are found under a lock, of labels that it makes text
of each time, and each of their numbers has a lock again: a request has about twenty of these to go through, for which
it takes 15 microseconds where these take 3. To be counted with by one thread only; it may be read from any.
"""

from __future__ import annotations

import math
import os
import time
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from prometheus_client.core import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from prometheus_client import CollectorRegistry

#: Whether to tell since when each is counted, as `prometheus_client` does unless it is told not to.
CREATED: Final = os.environ.get("PROMETHEUS_DISABLE_CREATED_SERIES", "").lower() not in {"true", "1", "t"}


class Child(Protocol):
    """What is counted under one value of each label."""

    created: float

    def samples(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        """Yield the numbers: what each adds to the metric's name and to its labels, and its value."""
        ...


ChildT = TypeVar("ChildT", bound=Child)


class Tally:
    """A sum that only grows."""

    __slots__ = ("created", "value")

    def __init__(self) -> None:
        self.value: float = 0.0
        self.created = time.time()

    def inc(self, amount: float = 1) -> None:
        """Add to it. Raises `ValueError` for less than nothing."""
        if amount < 0:
            raise ValueError(f"a counter cannot be raised by {amount}: it only grows")
        self.value += amount

    def samples(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        """Yield the sum."""
        yield "_total", {}, self.value


class Spread:
    """How often what was observed lay between bounds, and the sum of it; `bounds` ascend, the last is infinite."""

    __slots__ = ("_bounds", "_counts", "_sum", "created")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * len(bounds)
        self._sum = 0.0
        self.created = time.time()

    def observe(self, value: float) -> None:
        """Count an observation: in the first bucket whose bound it does not exceed."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        """Yield how many were at most as large as each bound, how many there were, and their sum."""
        counts = list(accumulate(self._counts))
        for bound, count in zip(self._bounds, counts, strict=True):
            yield "_bucket", {"le": "+Inf" if bound == math.inf else repr(bound)}, count
        yield "_count", {}, counts[-1]
        yield "_sum", {}, self._sum


class Family(Generic[ChildT]):
    """A metric with labels, registered with a registry; `new` makes what is counted under new values of the labels."""

    def __init__(
        self,
        registry: CollectorRegistry,
        shape: tuple[str, str, str],
        labels: tuple[str, ...],
        new: Callable[[], ChildT],
    ) -> None:
        self._shape = shape
        self._labels = labels
        self._new = new
        self._children: dict[tuple[str, ...], ChildT] = {}
        registry.register(self)

    def labels(self, *values: str) -> ChildT:
        """Return what is counted under these values of the labels. Raises `ValueError` for too few, or too many."""
        child = self._children.get(values)
        return self._made(values) if child is None else child

    def describe(self) -> list[Metric]:
        """Return the metric without numbers: whoever registers it learns its name."""
        return [Metric(*self._shape)]

    def collect(self) -> list[Metric]:
        """Return the metric with its numbers."""
        name, metric = self._shape[0], Metric(*self._shape)
        for values, child in list(self._children.items()):
            labels = dict(zip(self._labels, values, strict=True))
            for suffix, more, value in child.samples():
                metric.add_sample(name + suffix, {**labels, **more}, value)
            if CREATED:
                metric.add_sample(f"{name}_created", labels, child.created)
        return [metric]

    def _made(self, values: tuple[str, ...]) -> ChildT:
        if len(values) != len(self._labels):
            raise ValueError(f"{self._shape[0]} has the labels {', '.join(self._labels)}, not {len(values)} of them")
        child = self._children[values] = self._new()
        return child


def counter(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Family[Tally]:
    """Register a counter with labels."""
    return Family(registry, (name, text, "counter"), labels, Tally)


def histogram(
    registry: CollectorRegistry, name: str, text: str, buckets: Sequence[float], *labels: str
) -> Family[Spread]:
    """Register a histogram with labels; `buckets` are the bounds but the infinite one, ascending."""
    bounds = (*map(float, buckets), math.inf)
    return Family(registry, (name, text, "histogram"), labels, lambda: Spread(bounds))
