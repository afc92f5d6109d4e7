"""What is told of one quantity, or why nothing is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from routers.evaluation.off_policy.direct import direct
from routers.evaluation.off_policy.dr import dr
from routers.evaluation.off_policy.evidence import objections
from routers.evaluation.off_policy.ips import ips
from routers.evaluation.off_policy.overlap import overlap
from routers.evaluation.off_policy.snips import snips
from routers.evaluation.off_policy.switch_dr import switch_dr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.replay.columns import Columns, Policy
    from gateway.replay.requirement import Scale
    from gateway.replay.settings import Method, Settings
    from routers.evaluation.off_policy.estimate import Estimate
    from routers.evaluation.off_policy.overlap import Overlap
    from routers.evaluation.off_policy.sample import Indices, Sample

ESTIMATORS: Final[Mapping[Method, Callable[[Sample], Estimate]]] = {
    "direct": direct,
    "ips": ips,
    "snips": snips,
    "dr": dr,
    "switch_dr": switch_dr,
}
#: Between what values lie, by quantity.
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "quality": (0.0, 1.0),
    "cost": (0.0, math.inf),
    "latency": (0.0, math.inf),
    "errors": (0.0, 1.0),
}
#: Its interval would know nothing of the error that it mostly has.
WITHOUT_INTERVAL: Final = frozenset({"direct"})


@dataclass(frozen=True, slots=True)
class Told:
    """A number and its 95 % interval; None where there is none."""

    value: float
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, found: Estimate, method: Method) -> Told:
        """Return what is told of an estimate."""
        bounded = method not in WITHOUT_INTERVAL and all(map(math.isfinite, found.interval))
        return cls(found.value, found.interval if bounded else None)

    def within(self, low: float, high: float) -> Told:
        """Return it with an interval that ends where values do."""
        if self.interval is None:
            return self
        first, last = (min(max(end, low), high) for end in self.interval)
        return replace(self, interval=(first, last))


@dataclass(frozen=True, slots=True)
class Compared:
    """What one estimator says: of the policy, of what it is compared with, and of the change, on the same requests."""

    new: Told
    old: Told
    difference: Told
    relative: Told

    def on(self, scale: Scale) -> Told:
        """Return what a bound of that scale is about."""
        return {"relative": self.relative, "points": self.difference, "value": self.new}[scale]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is told of one quantity: `refused` has the reasons for which nothing is; empty if something is.

    `naive` is the mean of what was observed, and no estimate of any policy where not all of it was. `ran` is the policy
    that ran.
    """

    quantity: str
    overlap: Overlap
    refused: tuple[str, ...]
    naive: float
    ran: Told
    by: Mapping[Method, Compared]


def answer(
    columns: Columns, name: str, policies: tuple[Policy, Policy], settings: Settings, rows: Indices | None = None
) -> Answer:
    """Return what the log says of a quantity under a policy, compared with another, perhaps on some rows only."""
    new, old, ran = (_taken(columns.sample(name, policy), rows) for policy in (*policies, columns.ran))
    found, reference = overlap(new), overlap(old)
    refused = [
        *objections(found, settings.demands),
        *(f"of the baseline, {reason}" for reason in objections(reference, settings.demands) if reference != found),
    ]
    seen = ran.observed[ran.seen > 0]
    return Answer(
        quantity=name,
        overlap=found,
        refused=tuple(dict.fromkeys(refused)),
        naive=float(seen.mean()) if len(seen) else math.nan,
        ran=Told.of(_estimated(ran, "dr", name), "dr").within(*BOUNDS[name]),
        by={method: _compared(new, old, method, name) for method in ESTIMATORS},
    )


def refuse(found: Answer, *reasons: str) -> Answer:
    """Return an answer that is refused for some reasons more, as it is where there is none."""
    return replace(found, refused=(*found.refused, *reasons))


def _taken(found: Sample, rows: Indices | None) -> Sample:
    return found if rows is None else found.take(rows)


def _compared(new: Sample, old: Sample, method: Method, name: str) -> Compared:
    one, other = (_estimated(each, method, name) for each in (new, old))
    values = (Told.of(each, method).within(*BOUNDS[name]) for each in (one, other))
    changes = (Told.of(each, method) for each in (one.less(other), one.relative_to(other)))
    return Compared(*values, *changes)


def _estimated(found: Sample, method: Method, name: str) -> Estimate:
    made, (low, high) = ESTIMATORS[method](found), BOUNDS[name]
    return made.imagining(high - low, overlap(found).effective) if math.isfinite(high) else made
