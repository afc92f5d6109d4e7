"""The names under which holders are counted, and how many of those that clients make up.

Keys, teams, tags, models and policies are the configuration's. Users are whatever a client writes: they must neither
fill the memory, nor buy themselves a new count by pushing an old one out.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.quotas.windows import Window

#: Users that have a count of their own, in each window of each quota; all further ones share one.
MAX_USERS: Final = 50_000
#: Longer names are counted under a digest.
LONGEST: Final = 64
#: The name of all that are too many: no other begins like this.
OTHERS: Final = "*"


class Crowd:
    """Which users have been seen, by quota, in its latest window. Each replica has room for as many."""

    def __init__(self, max_users: int = MAX_USERS) -> None:
        self._max_users = max_users
        self._seen: dict[str, tuple[Window, set[str]]] = {}

    def counted(self, quota: str, window: Window | None, user: str) -> str:
        """Return the name under which a user is counted.

        Without a window nobody is too many: places that nobody holds take no room.
        """
        name = named(user)
        if window is None:
            return name
        latest, seen = self._seen.get(quota, (window, set()))
        if window.start_ms < latest.start_ms:
            return name
        if window != latest or quota not in self._seen:
            self._seen[quota] = window, (seen := set())
        if name not in seen and len(seen) >= self._max_users:
            return OTHERS
        seen.add(name)
        return name


def named(holder: str) -> str:
    """Return the name of a holder within a counter's: short, and without what could not be sent or shown."""
    if len(holder) <= LONGEST and holder.isprintable():
        return f"={holder}"
    return f"#{hashlib.sha256(holder.encode(errors='surrogatepass')).hexdigest()}"
