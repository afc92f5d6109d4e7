"""Decides how many requests are taken while the event loop is late: the decision alone, without clock and sockets.

The loop's lateness is sampled. Where it is too late and more and more requests wait, about as many are taken as have
been answered meanwhile, fewer while it is too late, and the others are refused, until nobody had to be for a while.
One late sample is no overload, nor is a backlog that becomes smaller (compare Nichols and Jacobson, "Controlling Queue
Delay", ACM Queue 10(5), 2012: a good queue is one that empties).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

#: While no more than these wait for their answer to begin, it is no overload however late the loop is: so few no
#: machine lets wait for long, and a loop that is late for other reasons than requests still answers.
ALWAYS: Final = 160
#: So many may wait under overload as well: they keep the processor busy, and wait no longer than it takes.
FEW: Final = 24
#: Seconds after which whoever was refused may ask again, and for which nobody may be refused before it is over.
RETRY_S: Final = 1.0
#: How many are taken for each that was answered, while the loop is in time and while it is too late.
MORE, FEWER = 1.125, 0.5
#: Once it has been in time for `EASY_S`, at least so many more are taken with each sample: where answers take long,
#: that few were answered says nothing.
GROWTH, EASY_S = 1.1, 0.1
#: A backlog of less than this share of what it was becomes smaller.
STAYING: Final = 0.95
#: How many times later than is allowed the loop has to be before anybody is refused: what is allowed is what it is
#: brought back to. Hundreds of streams in good order make it as late as that in each turn.
BEGIN: Final = 4
#: Seconds for which the loop has to be so late, more than it is in time meanwhile: hiccups, and hundreds of requests
#: that come at once, are no overload, however many wait for their answers.
STANDING_S: Final = 0.6
#: Two samples so many seconds apart tell whether more and more requests wait.
MEMORY_S: Final = 0.25


@dataclass(slots=True)
class Shedding:
    """Takes requests, and refuses some while the loop is later than `max_lag_s`."""

    max_lag_s: float
    is_on: bool = False
    #: Requests that were taken, and refused, since the last sample.
    taken: int = 0
    refused: int = 0
    _waiting: int = 0
    #: At the last sample that was too late, and how many seconds ago that was: how many waited, or had been taken.
    _load: int = 0
    _since_full_s: float = inf
    _late_for_s: float = 0.0
    _taken_before: int = 0
    _in_time_s: float = 0.0
    _room: float = 0.0
    _calm_s: float = 0.0

    def takes(self, in_flight: int, *, early: bool = False) -> bool:
        """Tell whether one more request is taken; `early` if its sender was refused less than `RETRY_S` ago."""
        if self.is_on and not self._has_room(in_flight, early=early):
            self.refused += 1
            return False
        self.taken += 1
        return True

    def is_suspect(self, late_s: float) -> bool:
        """Tell whether a sample wants to know how many requests wait, which has to be counted."""
        return self.is_on or late_s > BEGIN * self.max_lag_s

    def sample(self, late_s: float, elapsed_s: float, waiting: int) -> None:
        """Note how late the loop is, how long ago the last sample was, in seconds, and how many wait for an answer."""
        if self.is_on:
            self._adjust(late_s, elapsed_s, waiting)
        else:
            self._watch(late_s, elapsed_s, waiting)
        self.taken = self.refused = 0

    def _has_room(self, in_flight: int, *, early: bool) -> bool:
        if in_flight < FEW or self._waiting + self.taken < FEW:
            return True
        return self.taken < self._room and (not early or self._in_time_s >= EASY_S)

    def _watch(self, late_s: float, elapsed_s: float, waiting: int) -> None:
        # Those that were taken before the last sample may be what the loop has been busy with since.
        load = max(waiting, self.taken, self._taken_before)
        late = late_s > BEGIN * self.max_lag_s
        self._late_for_s = min(max(self._late_for_s + (elapsed_s if late else -elapsed_s), 0.0), 2 * STANDING_S)
        self._taken_before = self.taken
        if late and load > ALWAYS:
            stands = self._late_for_s >= STANDING_S and self._since_full_s <= MEMORY_S
            if stands and load >= STAYING * self._load:
                self.is_on, self._calm_s, self._in_time_s = True, 0.0, 0.0
                self._room = 0.0
            self._load, self._since_full_s = load, 0.0
        else:
            self._since_full_s += elapsed_s
        self._waiting = waiting

    def _adjust(self, late_s: float, elapsed_s: float, waiting: int) -> None:
        answered = max(0, self._waiting + self.taken - waiting)
        self._waiting = waiting
        late = late_s > self.max_lag_s
        self._in_time_s = 0.0 if late else self._in_time_s + elapsed_s
        grown = self._room * GROWTH + 1 if self._in_time_s >= EASY_S else 0.0
        self._room = answered * FEWER if late else max(answered * MORE, grown)
        self._calm_s = 0.0 if self.refused or late_s > self.max_lag_s else self._calm_s + elapsed_s
        if self._calm_s >= RETRY_S:
            self.is_on, self._since_full_s, self._late_for_s, self._taken_before = False, inf, 0.0, 0
