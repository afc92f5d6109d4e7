"""The money of judging, counted by the parent for all workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.workers.channel import ChannelClosed

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.workers.channel import Channel


class TeamBudget:
    """Asks the parent. Where it is gone nothing is reserved: judging can wait."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def reserve(self, nano_usd: int, most: int, at: datetime) -> bool:
        """Reserve an amount, if no more than `most` is spent with it on that day; tell whether it was."""
        try:
            return bool(await self._channel.ask("reserve_judging", nano_usd, most, at.isoformat()))
        except ChannelClosed:
            return False

    async def settle(self, reserved: int, spent: int, at: datetime) -> None:
        """Count what was spent, in place of what was reserved at `at`; with the parent gone, the reservation stands."""
        try:
            await self._channel.ask("settle_judging", reserved, spent, at.isoformat())
        except ChannelClosed:
            return
