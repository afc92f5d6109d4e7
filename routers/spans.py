"""Spans of time that are short while they are recent, and grow together as they age: to tell when something changed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from routers.cells import BETWEEN
from routers.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from routers.cells import Column
    from routers.fading import Fading

    Integers = NDArray[np.int64]

#: No span is shorter than a half of this, in seconds, unless the longest is.
SHORTEST_S: Final = 60.0
#: A span is no longer than this share of its age, but for the shortest.
SHARE_OF_AGE: Final = 0.5
#: Stands between a span's level and its number.
_OF: Final = ":"


class Span(NamedTuple):
    """The span `number` of those of a level; at each level they are twice as long as at the one below."""

    level: int
    number: int

    @property
    def parent(self) -> Span:
        """Return the span of the level above that it is a half of."""
        return Span(self.level + 1, self.number >> 1)


@dataclass(frozen=True, slots=True)
class Spans:
    """Divides time: rows are summed by the shortest spans, which are put together, two by two, as they age.

    At the highest level spans are as long as those of `fading`. What is put together as of some time is what would have
    been had all been put together then: sums of any age add up, and what was added can be taken back later.

    >>> from routers.fading import Fading
    >>> spans = Spans(Fading(16 * 240.0))
    >>> spans.levels, spans.recent(np.array([0.0, 61.0, 239.0]))
    (2, ['0:0', '0:1', '0:3'])
    >>> [spans.as_of(Span(0, 3), now) for now in (240.0, 480.0, 720.0)]
    [Span(level=0, number=3), Span(level=1, number=1), Span(level=2, number=0)]
    """

    fading: Fading

    @property
    def levels(self) -> int:
        """Return the highest level."""
        return max(0, int(np.ceil(np.log2(self.fading.width_s / SHORTEST_S))))

    def width_s(self, level: int) -> float:
        """Return how long the spans of a level are."""
        return float(self.fading.width_s / 2 ** (self.levels - level))

    def recent(self, times: NDArray[np.float64]) -> list[str]:
        """Return how the shortest spans are written that times `[n]` (seconds since 1970) fall in."""
        return [f"0{_OF}{number}" for number in np.floor(times / self.width_s(0)).astype(np.int64).tolist()]

    def as_of(self, span: Span, now: float) -> Span:
        """Return the span that it is a part of by now."""
        while span.level < self.levels:
            age_s = now - (span.parent.number + 1) * self.width_s(span.level + 1)
            if self.width_s(span.level + 1) > SHARE_OF_AGE * age_s:
                break
            span = span.parent
        return span

    def share(self, span: Span, now: float) -> float:
        """Return how much what was observed in a span counts by now, in (0, 1]. It is as old as its middle."""
        return self.fading.of_age(now - (span.number + 0.5) * self.width_s(span.level))

    def summed(self, part: str, models: Sequence[str], times: NDArray[np.float64], numbers: Column) -> Sums:
        """Return the sums of rows by span and model, under the name `part`; `numbers` is `[n, k]`.

        Each row is rounded by itself, so that batches of any size add up to the same.
        """
        fixed = Sums.of({part: numbers}).parts[part]
        parts: dict[str, Integers] = {}
        for span, model, row in zip(self.recent(times), models, fixed, strict=True):
            name = BETWEEN.join([part, span, model])
            parts[name] = parts[name] + row if name in parts else row
        return Sums(parts)

    def folded(self, part: str, sums: Sums, now: float) -> Sums:
        """Return sums in which the spans of a part are put together as of now; others stay as they are."""
        others = {name: values for name, values in sums.parts.items() if not name.startswith(part + BETWEEN)}
        return Sums(
            others
            | {
                BETWEEN.join([part, f"{span.level}{_OF}{span.number}", model]): values
                for span, model, values in self._found(part, sums, now)
            }
        )

    def faded(self, part: str, sums: Sums, now: float) -> dict[str, list[tuple[float, Column]]]:
        """Return of each model the beginnings of its spans as of now, in order, and what is left of their sums."""
        found: dict[str, list[tuple[float, Column]]] = defaultdict(list)
        for span, model, values in self._found(part, sums, now):
            numbers = Sums({part: values})[part] * self.share(span, now)
            found[model].append((span.number * self.width_s(span.level), numbers))
        return {model: sorted(stretches, key=lambda one: one[0]) for model, stretches in sorted(found.items())}

    def _found(self, part: str, sums: Sums, now: float) -> Iterator[tuple[Span, str, Integers]]:
        together: dict[tuple[Span, str], Integers] = {}
        for name, values in sums.parts.items():
            if name.startswith(part + BETWEEN):
                _, written, model = name.split(BETWEEN, 2)
                level, _, number = written.partition(_OF)
                key = self.as_of(Span(int(level), int(number)), now), model
                together[key] = together[key] + values if key in together else values
        for (span, model), values in together.items():
            if values.any():
                yield span, model, values
