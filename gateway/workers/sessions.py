"""Which model answered a session last, on whichever worker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gateway.sessions import Last, Sessions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.workers.channel import Channel

#: Seconds for which notes are gathered before they are told: less than it takes to have an answer, and to ask again.
#: Asking the parent at each request instead takes a round trip, and twice of the parent's time (60 against 30 us).
GATHERED_S: Final = 0.005

#: A note as it is sent: policy, session, model, and when, by the clock that all processes of a machine have.
Note = tuple[str, str, str, float]


class KnownSessions(Sessions):
    """Sessions that can be told, and heard."""

    def notes(self) -> Iterator[Note]:
        """Yield all that is known, what was noted longest ago first."""
        return ((policy, session, last.model, last.at) for (policy, session), last in self._last.items())

    def hear(self, notes: Iterable[Note]) -> None:
        """Take in what was noted elsewhere; what is newer here stands."""
        for policy, session, model, at in notes:
            known = self.last(policy, session)
            if known is None or known.at < at:
                super().note(policy, session, model, at)


class TeamSessions(KnownSessions):
    """Tells all other workers what is noted here, by way of the parent, and knows all that they have noted."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel
        self._untold: dict[tuple[str, str], Last] = {}

    async def begin(self) -> None:
        """Learn what was noted before this worker began. Raises `ChannelClosed`."""
        self.hear(await self._channel.ask("sessions"))

    def note(self, policy: str, session: str, model: str, now: float) -> None:
        """Note who answers; the others know in a moment."""
        super().note(policy, session, model, now)
        if not self._untold:
            asyncio.get_running_loop().call_later(GATHERED_S, self.tell)
        self._untold[policy, session] = Last(model, now)

    def tell(self) -> None:
        """Tell what has not been told."""
        untold, self._untold = self._untold, {}
        if untold:
            notes = [(policy, session, last.model, last.at) for (policy, session), last in untold.items()]
            self._channel.tell("note", notes)
