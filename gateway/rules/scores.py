"""Scores: weighted sums of numbers, perhaps calibrated to between 0 and 1, perhaps in bands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.rules.facts import Facts
from gateway.rules.operators import is_known
from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routers.types import Feature

#: The band of a score that is below all bands.
NO_BAND = "none"


@dataclass(frozen=True, slots=True)
class Term:
    """One number, or truth (0 or 1), with its weight.

    The value is held between `at_least` and `at_most`; `default` is taken where the feature is absent.
    """

    feature: str
    weight: float = 1.0
    at_least: float = -math.inf
    at_most: float = math.inf
    default: float | None = None

    def value(self, features: Mapping[str, Feature]) -> float | None:
        """Return what it adds to the score; None where it is unknown."""
        found = features.get(self.feature)
        value = found if isinstance(found, int | float) and is_known(found) else self.default
        return None if value is None else self.weight * min(max(value, self.at_least), self.at_most)


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """The logistic function: 0.5 at `center`, where it rises by `slope / 4` for each unit."""

    center: float
    slope: float

    def value(self, score: float) -> float:
        """Return a number between 0 and 1."""
        # The logistic function, in a form that does not overflow.
        return 0.5 * (1 + math.tanh(0.5 * self.slope * (score - self.center)))


@dataclass(frozen=True, slots=True)
class Score:
    """A weighted sum: unknown where one of its terms is."""

    terms: tuple[Term, ...]
    offset: float = 0.0
    sigmoid: Sigmoid | None = None

    @property
    def features(self) -> frozenset[str]:
        """Return the features that it reads."""
        return frozenset(term.feature for term in self.terms)

    def value(self, features: Mapping[str, Feature]) -> float | None:
        """Return the score; None where it is unknown, or no finite number."""
        total = self.offset
        for term in self.terms:
            value = term.value(features)
            if value is None:
                return None
            total += value
        if not math.isfinite(total):
            return None
        return self.sigmoid.value(total) if self.sigmoid else total


@dataclass(frozen=True, slots=True)
class Scored:
    """A projection to a number, and to the bands that it reaches: `bands` are names and least scores, rising."""

    name: str
    score: Score
    bands: tuple[tuple[str, float], ...] = ()

    @property
    def provides(self) -> Mapping[str, Kind]:
        """Return the features that it gives."""
        banded = {f"{self.name}.band": Kind.TEXT, f"{self.name}.bands": Kind.TEXTS} if self.bands else {}
        return {self.name: Kind.NUMBER, **banded}

    @property
    def features(self) -> frozenset[str]:
        """Return the features that it reads."""
        return self.score.features

    @property
    def facts(self) -> Facts:
        """Return what is known of its features beforehand."""
        names = frozenset(name for name, _ in self.bands)
        choices = {f"{self.name}.band": names | {NO_BAND}, f"{self.name}.bands": names} if names else {}
        return Facts({self.name: (0.0, 1.0)} if self.score.sigmoid else {}, choices)

    def project(self, features: Mapping[str, Feature]) -> dict[str, Feature]:
        """Return the score and its bands; nothing where the score is unknown."""
        value = self.score.value(features)
        if value is None:
            return {}
        if not self.bands:
            return {self.name: value}
        reached = tuple(name for name, bound in self.bands if value >= bound)
        return {
            self.name: value,
            f"{self.name}.band": reached[-1] if reached else NO_BAND,
            f"{self.name}.bands": reached,
        }
