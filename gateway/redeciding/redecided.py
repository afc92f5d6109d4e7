"""What a logged request is decided by again, and what may come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.data_class import DataClassRules
    from gateway.eligibility import Eligibility
    from gateway.policy import Policies
    from gateway.signals.base import Signal


@dataclass(frozen=True, slots=True)
class Side:
    """A configuration by which requests are decided again.

    `policy` is asked in place of the one that a request was under; None: the one of the same name. `stale` are
    features that it would find otherwise than the log has them. `clock` gives `time.*` (None: nothing reads it).
    """

    policies: Policies
    eligibility: Eligibility
    data_classes: DataClassRules | None
    policy: str | None = None
    stale: frozenset[str] = frozenset()
    clock: Signal | None = None

    def name_of(self, requested: str, base: str) -> str:
        """Return the name to ask for: as requested, the dial included, under this side's policy."""
        return requested if self.policy is None else self.policy + requested.removeprefix(base)


@dataclass(frozen=True, slots=True)
class Choice:
    """Who may answer, and with what chance. `costs_usd` are the router's expectations, `prices_usd` go by the price.

    `planned` tells that it is a plan of several calls, of which this is the first.
    """

    rule: str | None
    propensities: Mapping[str, float]
    rewards: Mapping[str, float]
    costs_usd: Mapping[str, float]
    prices_usd: Mapping[str, float]
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nobody answers; `code` is the error's."""

    rule: str | None
    code: str


@dataclass(frozen=True, slots=True)
class Untold:
    """It cannot be told: it depends on these features, or signals, which the log lacks."""

    missing: frozenset[str]


Redecided = Choice | Rejected | Untold
