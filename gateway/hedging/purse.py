"""What hedging costs each policy, by day: it is held before a second candidate is asked, and settled afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.exploration.budget import Budgets


class Purse:
    """Lets nothing be held that would not be left of the day's money if all that is held were spent."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self._held: dict[str, float] = {}

    def hold(self, policy: str, usd: float, most_usd: float, at: datetime) -> bool:
        """Hold what a hedge may cost at most; tell whether there is as much."""
        held = self._held.get(policy, 0.0)
        if held + usd > self._budgets.left_usd(policy, most_usd, at):
            return False
        self._held[policy] = held + usd
        return True

    def settle(self, policy: str, held_usd: float, usd: float, at: datetime) -> None:
        """Count what a hedge has cost, in place of what was held for it."""
        self._held[policy] = max(self._held.get(policy, 0.0) - held_usd, 0.0)
        if usd > 0:
            self._budgets.spend(policy, usd, at)

    async def aclose(self) -> None:
        """Wait until all has been counted."""
        await self._budgets.aclose()
