"""What a worker shares with the others through their parent, for as long as the gateway is open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.sharing.beat import beat
from gateway.sharing.rests import SharedRests
from gateway.workers.budget import TeamBudget
from gateway.workers.ledger import TeamLedger
from gateway.workers.link import TeamLink
from gateway.workers.memory import TeamMemory

if TYPE_CHECKING:
    from gateway.endpoints.fleet import Fleet
    from gateway.workers.team import Team


class TeamSharing:
    """Counters, the money of judging, sessions, and which endpoints rest."""

    def __init__(self, team: Team, fleet: Fleet) -> None:
        self._team = team
        self.link = TeamLink(team.channel)
        self.sessions = team.sessions
        self.ledger = TeamLedger(team.channel, team.name)
        self.budget = TeamBudget(team.channel)
        self._rests = SharedRests(self.link, fleet)
        self._beat: asyncio.Task[None] | None = None

    def memory(self, ttl_s: float, key: bytes) -> TeamMemory:
        """Open a memory of what was asked; what others tell is told to the last one that was opened."""
        self._team.memory = TeamMemory(self.link, self._team.channel, ttl_s, key)
        return self._team.memory

    async def start(self) -> None:
        """Begin to exchange. Raises `ChannelClosed`."""
        await self.sessions.begin()
        self._beat = asyncio.ensure_future(beat((self._rests,)))

    async def aclose(self) -> None:
        """Tell what has not been told."""
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.gather(self._beat, return_exceptions=True)
        self.sessions.tell()
