"""Which model answered a session last: what stickiness goes by."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

#: Sessions that are remembered; beyond that, those that were silent longest are forgotten.
MAX_SESSIONS = 50_000


class Last(NamedTuple):
    """The model that answered last, and when, in seconds of a monotonic clock."""

    model: str
    at: float


class Sessions:
    """The last model of each session of each policy, as far as memory goes."""

    def __init__(self, max_sessions: int = MAX_SESSIONS) -> None:
        self._max_sessions = max_sessions
        self._last: OrderedDict[tuple[str, str], Last] = OrderedDict()

    def last(self, policy: str, session: str) -> Last | None:
        """Return who answered last, None for a session that is not known."""
        return self._last.get((policy, session))

    async def refresh(self, policy: str, session: str) -> None:
        """Learn who answered last elsewhere: nobody, where there is no elsewhere."""

    def note(self, policy: str, session: str, model: str, now: float) -> None:
        """Note who answers."""
        key, known = (policy, session), self._last
        known.pop(key, None)  # so that it stands last
        known[key] = Last(model, now)
        if len(known) > self._max_sessions:
            known.popitem(last=False)
