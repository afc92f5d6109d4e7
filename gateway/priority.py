"""How urgent requests are: who goes first where an endpoint has no room."""

from __future__ import annotations

from typing import Final, Literal, get_args

Priority = Literal["low", "normal", "high"]

#: Least urgent first.
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)


#: Their places: the higher, the earlier a request goes.
_PLACES: Final = {priority: place for place, priority in enumerate(PRIORITIES)}


def rank(*priorities: Priority) -> int:
    """Return the place of the least urgent of them: the higher, the earlier a request goes."""
    return min(map(_PLACES.__getitem__, priorities))
