"""All hedging: what is left of each policy's share and money. It outlives configurations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.exploration.budget import Budgets
from gateway.hedging.purse import Purse
from gateway.hedging.share import Share
from gateway.quotas.memory_ledger import MemoryLedger

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from gateway.hedging.rules import HedgeRules

#: What hedging is called in the ledger.
HEDGING = "hedging"


def own_purse() -> Purse:
    """Return a purse that nobody shares."""
    return Purse(Budgets(MemoryLedger(), HEDGING))


@dataclass(frozen=True, slots=True)
class Hedges:
    """What hedging has taken."""

    purse: Purse = field(default_factory=own_purse)
    shares: dict[str, Share] = field(default_factory=dict)

    def of(self, policy: str, rules: HedgeRules | None) -> Hedging | None:
        """Return what a request of a policy may do; None where it does not hedge."""
        return None if rules is None else Hedging(policy, rules, self.purse, self.shares.setdefault(policy, Share()))


@dataclass(frozen=True, slots=True)
class Hedging:
    """What a request may do, under the rules of its policy."""

    policy: str
    rules: HedgeRules
    purse: Purse
    share: Share

    def requested(self) -> None:
        """Take in that the request came."""
        self.share.requested(self.rules.max_share)

    def allow(self, usd: Decimal | None, at: datetime) -> bool:
        """Tell whether a second candidate may be asked, which may cost `usd` at most: it is held, to be settled.

        Where money is bounded, what might cost anything is not asked.
        """
        most = self.rules.max_usd_per_day
        if most is not None and (usd is None or not self.purse.hold(self.policy, float(usd), most, at)):
            return False
        if self.share.take():
            return True
        self.settle(usd, None, at)
        return False

    def settle(self, held: Decimal | None, usd: Decimal | None, at: datetime) -> None:
        """Count what it has cost, None for nothing, in place of what was held."""
        if self.rules.max_usd_per_day is not None and held is not None:
            self.purse.settle(self.policy, float(held), float(usd or 0), at)
