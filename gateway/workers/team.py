"""What a worker knows of the others: its place among them, and the way to their parent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from socket import socket
from typing import TYPE_CHECKING, Any, Self

from prometheus_client import CollectorRegistry, generate_latest

from gateway.workers.channel import Channel, ChannelClosed
from gateway.workers.merging import Shown, families
from gateway.workers.sessions import TeamSessions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.application import Gateway
    from gateway.workers.channel import Answering
    from gateway.workers.memory import TeamMemory
    from gateway.workers.sessions import Note


@dataclass(frozen=True, slots=True)
class Place:
    """A worker's number, how many there are, and where it listens."""

    index: int
    count: int
    host: str
    port: int

    def share(self, whole: int) -> int:
        """Return this worker's part of what all may have together: the parts add up to the whole."""
        return whole // self.count + (self.index < whole % self.count)


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is started with: its place, and the number of the file that leads to its parent."""

    place: Place
    descriptor: int
    name: str

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """Return them as they were written."""
        return cls(Place(**found["place"]), found["descriptor"], found["name"])


class Team:
    """The workers, as one of them sees them. `name` is this worker's, unlike any that there was before."""

    def __init__(self, place: Place, name: str) -> None:
        self.place = place
        self.name = name
        self._channel: Channel | None = None
        self._registry = CollectorRegistry()
        self._sessions: TeamSessions | None = None
        #: What hears of what other workers were asked.
        self.memory: TeamMemory | None = None

    @property
    def leads(self) -> bool:
        """Tell whether this worker does what only one of them may do: it looks for changed files, and has a learner."""
        return self.place.index == 0

    @property
    def channel(self) -> Channel:
        """Return the way to the parent."""
        if self._channel is None:
            raise RuntimeError("the team is not joined")
        return self._channel

    @property
    def sessions(self) -> TeamSessions:
        """Return the sessions, of which this worker hears from now on."""
        if self._sessions is None:
            self._sessions = TeamSessions(self.channel)
        return self._sessions

    async def join(self, descriptor: int, gateway: Gateway) -> None:
        """Listen to the parent, on behalf of a gateway that is about to open."""
        self._registry = gateway.metrics.registry
        answering: dict[str, Answering] = {
            "noted": self._noted,
            "kept": self._kept,
            "counted": self._counted,
            "prepare": gateway.prepare,
            "commit": gateway.commit,
            "abandon": gateway.abandon,
        }
        self._channel = await Channel.over(socket(fileno=descriptor), answering)

    async def ready(self, said: str) -> None:
        """Tell the parent that this worker listens, and what is to be said once all do. Raises `ChannelClosed`."""
        await self.channel.ask("ready", said)

    async def reload(self) -> bool:
        """Have all workers take the configuration on disk, or none; tell whether it is in force."""
        try:
            return bool(await self.channel.ask("reload"))
        except ChannelClosed:
            return False

    async def metrics(self) -> bytes:
        """Return the metrics of all workers in Prometheus' text format; without a parent, this worker's own."""
        try:
            return generate_latest(Shown(await self.channel.ask("metrics")))
        except ChannelClosed:
            return generate_latest(self._registry)

    async def leave(self) -> None:
        """Tell what was counted until the end, and hang up."""
        try:
            async with asyncio.timeout(1):
                await self.channel.ask("counted", self._counted())
        except (ChannelClosed, TimeoutError):
            return  # the parent goes by what it had heard last
        finally:
            self.channel.close()

    def _noted(self, notes: list[Note]) -> None:
        if self._sessions is not None:
            self._sessions.hear(notes)

    def _kept(self, seen: list[tuple[str, str]]) -> None:
        if self.memory is not None:
            self.memory.hear(seen)

    def _counted(self) -> list[Any]:
        return families(self._registry)
