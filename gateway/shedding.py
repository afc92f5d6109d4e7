"""Decides how many requests are taken in a turn of the event loop: the decision alone, without clock and sockets.

What is bounded is work that nobody has begun: all requests that have come in one turn are read before the first of them
is gone on with, and a turn is over when they are sent on; their answers take about as long again. A burst may be of so
many that they take a third of a second, on a slow machine a whole one. Beyond it requests are refused, and once many
were, there is overload: from then on only so many are taken in a turn that turns stay short, until few are left who
were refused. A loop whose turns are long for a while, with many requests in each, is overloaded as well (compare
Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012: a good queue is one that empties).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

#: So many are no overload, taken in one turn or refused a moment ago, however long turns are: so few no machine lets
#: wait for long, and a loop that is late for other reasons than requests still answers.
ALWAYS: Final = 160
#: While fewer are under way, one more is taken under overload as well: they keep the processor busy. Who asks again too
#: soon has waited unread, and is taken only where the processor would have next to nothing to do.
FEW, FEWEST = 20, 4
#: Seconds after which whoever was refused may ask again.
RETRY_S: Final = 1.0
#: So many at most are taken in one turn, fewer where they would take so many seconds of processor time.
BURST, BURST_S = 512, 1.0
#: Turns with so many requests tell what one takes: beside so many the events of streams count for little.
MANY: Final = 64
#: How many times a request waits as long as a turn takes: until it is read, until it is sent on, and with its answer.
WAITS: Final = 3
#: What becomes of the number that is taken in a turn where the last took too long.
FEWER: Final = 0.8
#: How many times longer than the allowed lateness turns have to be for a lasting overload: what is allowed is what
#: they are brought back to. Hundreds of streams in good order make turns as long as that.
BEGIN: Final = 3
#: Seconds that turns have to be so long, more than they are shorter meanwhile: hundreds of requests that come at once,
#: and are gone, are no overload.
STANDING_S: Final = 0.4
#: Seconds for which such an overload goes on at least: turns with many requests and with none may alternate.
HOLD_S: Final = 0.25


@dataclass(slots=True)
class Shedding:
    """Takes requests, and refuses some while there is more to do than can be done in time."""

    max_lag_s: float
    is_on: bool = False
    #: Requests that were taken, and refused, in this turn.
    taken: int = 0
    refused: int = 0
    #: Those of turns with many that are not answered yet, as far as that is the gateway's doing.
    _unfinished: int = 0
    _cost_s: float = 0.0
    _burst: float = BURST
    _late_for_s: float = 0.0
    _late_at: float = -inf
    #: How many are taken in a turn under overload.
    _room: float = FEW

    def takes(self, unanswered: int, *, early: bool = False) -> bool:
        """Tell whether one more request is taken, beside `unanswered` that were, those of this turn among them.

        It is `early` if its sender asks again too soon, and the loop is busy.
        """
        if self.is_on:
            taken = unanswered < (FEWEST if early else FEW) or (self.taken < self._room and not early)
        else:
            # Who is answered counts no more, though others of the same turn are not: clients that never wait ask again.
            taken = min(self._unfinished, unanswered - self.taken) + self.taken < self._burst
        if taken:
            self.taken += 1
        else:
            self.refused += 1
        return taken

    def turn(self, now: float, resting: int) -> int:
        """Begin a turn with those that were taken, and return how many; `resting` were refused a moment ago."""
        taken, asked = self.taken, self.taken + self.refused
        self.taken = self.refused = 0
        self._unfinished += taken if taken >= MANY else 0
        if resting >= ALWAYS:
            self._begin()
        elif resting + asked < ALWAYS and now - self._late_at > HOLD_S:
            self.is_on = False
        return taken

    def turned(self, taken: int, now: float, elapsed_s: float, cpu_s: float) -> None:
        """Note how long it took until so many of a turn were sent on: by the clock, and of processor time.

        Turns in which fewer than `MANY` were taken need not be told while `is_on` is not set. To pass on the answers
        takes about as long again: `answered` is to be called then.
        """
        if self.is_on:
            self._adjust(taken, elapsed_s)
            return
        if taken >= MANY:
            self._cost_s += (cpu_s / taken - self._cost_s) * taken / (taken + MANY)
            self._burst = max(ALWAYS, min(BURST_S / self._cost_s, BURST)) if self._cost_s else BURST
        if taken >= ALWAYS and cpu_s > BEGIN * self.max_lag_s:
            in_time_s = now - elapsed_s - self._late_at
            self._late_for_s = max(self._late_for_s - in_time_s, 0.0) + cpu_s
            self._late_at = now
            if self._late_for_s >= STANDING_S:
                self._begin()

    def answered(self, taken: int) -> None:
        """Note that so many of a turn take no more time, unless their endpoints do."""
        self._unfinished -= taken if taken >= MANY else 0

    def _begin(self) -> None:
        if not self.is_on:
            self.is_on, self._late_for_s, self._room = True, 0.0, FEW

    def _adjust(self, taken: int, elapsed_s: float) -> None:
        if WAITS * elapsed_s > self.max_lag_s:
            self._room = max(self._room * FEWER, 1.0)
        elif taken >= self._room:
            self._room += 1.0
