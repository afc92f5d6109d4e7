"""How often a policy hedges: a share of its requests, so that a slow hour does not double the load.

Finagle's `RetryBudget`, with nothing in reserve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Hedges that can be saved up while none is needed.
MOST: Final = 10.0
#: A tenth ten times is a little less than one.
ROUNDING: Final = 1e-9


@dataclass(slots=True)
class Share:
    """What is left of a policy's share.

    Of `n` requests in a row, no more than the share and `MOST` are hedged; from the start on no more than the share.
    """

    _left: float = 0.0

    def requested(self, share: float) -> None:
        """Take in that a request came, a `share` of which may be hedged."""
        self._left = min(MOST, self._left + share)

    def take(self) -> bool:
        """Take one hedge, if there is one."""
        if self._left < 1 - ROUNDING:
            return False
        self._left -= 1
        return True
