"""Partitions: of several members exactly one, the one with the highest score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.rules.facts import Facts
from gateway.rules.scores import Score
from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.rules.conditions import Condition
    from routers.types import Feature


@dataclass(frozen=True, slots=True)
class Member:
    """One member, and what speaks for it: a score, or a condition that counts 1 where it holds and 0 where not."""

    name: str
    measure: Score | Condition

    def value(self, features: Mapping[str, Feature]) -> float | None:
        """Return what speaks for it; None where that is unknown."""
        if isinstance(self.measure, Score):
            return self.measure.value(features)
        holds = self.measure.check(features).holds
        return None if holds is None else float(holds)


@dataclass(frozen=True, slots=True)
class Partition:
    """A projection to exactly one of its members.

    A member whose value is unknown does not take part. Where all values are 0 or unknown, the partition is
    `otherwise`, or unknown if there is none. `temperature` is that of the softmax behind `NAME.share`.
    """

    name: str
    members: tuple[Member, ...]
    temperature: float
    otherwise: str | None = None

    @property
    def provides(self) -> Mapping[str, Kind]:
        """Return the features that it gives."""
        return {self.name: Kind.TEXT, f"{self.name}.share": Kind.NUMBER}

    @property
    def features(self) -> frozenset[str]:
        """Return the features that it reads."""
        return frozenset[str]().union(*(member.measure.features for member in self.members))

    @property
    def facts(self) -> Facts:
        """Return what is known of its features beforehand."""
        names = frozenset(member.name for member in self.members)
        certain = frozenset({self.name}) if self.otherwise is not None else frozenset[str]()
        return Facts({f"{self.name}.share": (0.0, 1.0)}, {self.name: names}, certain)

    def project(self, features: Mapping[str, Feature]) -> dict[str, Feature]:
        """Return the member with the highest value, the first of equals, and its share."""
        values = [(member.name, member.value(features)) for member in self.members]
        known = {name: value for name, value in values if value is not None}
        if not any(known.values()):
            return {} if self.otherwise is None else {self.name: self.otherwise}
        best = max(known, key=known.__getitem__)
        total = sum(math.exp((value - known[best]) / self.temperature) for value in known.values())
        return {self.name: best, f"{self.name}.share": 1 / total}
