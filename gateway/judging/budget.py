"""The money that judging may take in a day: reserved before a judge is asked, and counted when it has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import date, datetime


class Budget(Protocol):
    """Counts nano-dollars by the day (UTC)."""

    async def reserve(self, nano_usd: int, most: int, at: datetime) -> bool:
        """Reserve an amount, if no more than `most` is spent with it on that day; tell whether it was."""
        ...

    async def settle(self, reserved: int, spent: int, at: datetime) -> None:
        """Count what was spent, in place of what was reserved at `at`."""
        ...


class LocalBudget:
    """Counts in this process. Only the last day is remembered; what belongs to an earlier one is over."""

    def __init__(self) -> None:
        self._day: date | None = None
        self.used = 0

    async def reserve(self, nano_usd: int, most: int, at: datetime) -> bool:
        """Reserve an amount, if no more than `most` is spent with it on that day; tell whether it was."""
        day = at.date()
        if self._day is None or day > self._day:
            self._day, self.used = day, 0
        if day < self._day or self.used + nano_usd > most:
            return False
        self.used += nano_usd
        return True

    async def settle(self, reserved: int, spent: int, at: datetime) -> None:
        """Count what was spent, in place of what was reserved at `at`."""
        if at.date() == self._day:
            self.used += spent - reserved
