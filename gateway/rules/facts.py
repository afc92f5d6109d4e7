"""Facts: what is known of features before any request has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routers.types import Feature


@dataclass(frozen=True, slots=True)
class Facts:
    """What values features may have, as far as anybody declared it.

    `ranges` are the least and the greatest value of numbers, `choices` the texts that a text may be or a list may
    hold, `certain` the features that are never absent: those that every request has, and those with a default.
    """

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    choices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    certain: frozenset[str] = frozenset()

    def joined(self, other: Facts) -> Facts:
        """Return these facts and others; of a feature that both speak of, the others count."""
        return Facts({**self.ranges, **other.ranges}, {**self.choices, **other.choices}, self.certain | other.certain)

    def defaulted(self, defaults: Mapping[str, Feature]) -> Facts:
        """Return these facts, as they are of features that have defaults, which need not keep to what is declared."""
        ranges, choices = dict(self.ranges), dict(self.choices)
        for feature, value in defaults.items():
            if feature in ranges and isinstance(value, int | float):
                low, high = ranges[feature]
                ranges[feature] = (min(low, value), max(high, value))
            if feature in choices and isinstance(value, str | tuple):
                choices[feature] |= {value} if isinstance(value, str) else set(value)
        return Facts(ranges, choices, self.certain | defaults.keys())
