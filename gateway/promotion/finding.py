"""What the evidence says of one measure: is the candidate worse, is it certainly not, and how far is it from either."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from routers.sequential.boundary import Boundary
from routers.sequential.contrast import Contrast
from routers.sequential.needed import PLANNED, information_needed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.promotion.types import Limit, Rules
    from routers.sums import Sums

#: The part of alpha that watching may spend before the candidate serves anything.
WATCHING: Final = 0.1
#: Of the candidate's choices this part has to be among those that the live policy could have made, else what it would
#: have done is not known while it only watches.
COVERED: Final = 0.95
#: What one observation may be off that nobody has seen: failures are 0 or 1, quality is in between.
DOUBT: Final[Mapping[str, float]] = {"quality": 1.0, "errors": 1.0}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a measure by now: `alarm` bounds harm from below, `safe` from above, each with its own level."""

    limit: Limit
    contrast: Contrast
    alarm: Boundary
    safe: Boundary

    @property
    def crossed(self) -> bool:
        """Tell whether the candidate is certainly worse than is tolerated."""
        return self._excess(self.limit.tolerated, self.alarm, -1) > 0

    def cleared(self, share: float) -> bool:
        """Tell whether the harm to all of the traffic is certainly within the margin at that share of it."""
        return self._excess(self.limit.margin / share, self.safe, 1) < 0

    def _excess(self, margin: float, boundary: Boundary, sign: int) -> float:
        """Return by how much the harm exceeds a margin: at most (sign 1) or at least (sign -1)."""
        bound = Contrast.at_most if sign > 0 else Contrast.at_least
        if self.limit.relative:
            return bound(self.contrast, boundary, 1 + margin)
        if self.limit.measure == "quality":
            opposite = Contrast.at_least if sign > 0 else Contrast.at_most
            return -opposite(self.contrast, boundary) - margin
        return bound(self.contrast, boundary) - margin

    @property
    def interval(self) -> tuple[float, float]:
        """Return between which values the difference is: in points, or as a part of the live version's."""
        if self.limit.relative:
            least, most = self.contrast.ratio(self.alarm)
            return least - 1, most - 1
        return self.contrast.at_least(self.alarm), self.contrast.at_most(self.alarm)

    @property
    def difference(self) -> float:
        """Return the difference: in points, or as a part of the live version's; NaN where it is not known."""
        if not self.contrast.enough:
            return math.nan
        mean, _ = self.contrast.difference()
        return mean / self.contrast.live if self.limit.relative and self.contrast.live else mean

    def information_needed(self) -> float:
        """Return how much information would find a candidate out that is worse by the margin."""
        effect = self.limit.margin - self.limit.tolerated
        deviation = self.contrast.deviation(1 + self.limit.tolerated if self.limit.relative else 1.0)
        if not math.isfinite(deviation) or deviation == 0:
            return information_needed(effect, PLANNED[self.limit.measure], self.alarm)
        scale = self.contrast.live if self.limit.relative else 1.0
        return information_needed(effect * scale, deviation, self.alarm) if scale > 0 else math.inf

    def as_json(self) -> dict[str, Any]:
        """Return the numbers."""
        least, most = self.interval
        known = self.contrast
        return {
            "candidate": number(known.candidate),
            "live": number(known.live),
            "n_candidate": known.promoted,
            "n_live": known.kept,
            "difference": number(self.difference),
            "interval": [number(least), number(most)],
            "relative": self.limit.relative,
            "margin": self.limit.margin,
            "tolerated": self.limit.tolerated,
            "alpha": self.alarm.alpha,
            "information": number(known.information if known.enough else 0.0),
            "crossed": self.crossed,
        }


def findings(rules: Rules, sums: Sums, *, watching: bool) -> list[Finding]:
    """Return what is known of each limited measure; `watching`: of what the candidate would have done."""
    tuned_at = max(rules.within * planned_worth(rules) / 4, 50.0)
    part = WATCHING if watching else 1 - WATCHING
    alarm = Boundary(rules.alpha * part / len(rules.limits), tuned_at)
    # All limits have to be kept for a move up: no level has to be divided among them (Berger 1982).
    safe = Boundary(rules.alpha, tuned_at)
    prefix = "shadow:" if watching else ""
    return [
        Finding(limit, Contrast.of(sums, prefix + limit.measure, DOUBT.get(limit.measure)), alarm, safe)
        for limit in rules.limits
        if not watching or limit.measure == "errors" or _known(sums)
    ]


def planned_worth(rules: Rules) -> float:
    """Return how much information a request brings at the widest share of those that are on trial."""
    return rules.widest * (1 - rules.widest) or 0.25


def _known(sums: Sums) -> bool:
    """Tell whether what the candidate would have chosen was chosen often enough by the live policy."""
    covered = Contrast.of(sums, "shadow:covered")
    return covered.candidate >= COVERED


def number(value: float) -> float | None:
    """Return a number as JSON has it: what is not known, or without bound, is null."""
    return round(value, 9) if math.isfinite(value) else None
