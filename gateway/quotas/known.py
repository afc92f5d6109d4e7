"""What was last heard of the counters in Redis."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.quotas.ledger import Level
from gateway.quotas.messages import Sum, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Counters that are remembered; beyond that, those that were not heard of for longest are forgotten.
MAX_COUNTERS: Final = 100_000
_NOTHING: Final = Level()


@dataclass(frozen=True, slots=True)
class _Heard:
    level: Level
    until_ms: int


class Known:
    """The last known level of each counter, as far as memory goes."""

    def __init__(self, max_counters: int = MAX_COUNTERS) -> None:
        self._max_counters = max_counters
        self._heard: OrderedDict[str, _Heard] = OrderedDict()

    def level(self, counter: str) -> Level:
        """Return the last known level of a counter; of one that was never heard of, zero."""
        found = self._heard.get(counter)
        return _NOTHING if found is None else found.level

    def note(self, counter: str, level: Level, until_ms: int) -> None:
        """Take in how full a counter is, which may be forgotten at `until_ms`."""
        self._heard[counter] = _Heard(level, until_ms)
        self._heard.move_to_end(counter)
        if len(self._heard) > self._max_counters:
            self._heard.popitem(last=False)

    def lost(self, now_ms: int) -> Iterator[Sum]:
        """Yield what had been used of the counters whose windows are not over, to be restored after a loss."""
        for counter, heard in self._heard.items():
            if heard.level.used and not ended(heard.until_ms, now_ms):
                yield Sum(counter, 0, heard.level.used, heard.until_ms)
