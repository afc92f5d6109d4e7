"""A circuit breaker: an endpoint that fails is left alone, and asked again carefully (Nygard, Release It!, chapter 5).

Closed, everything passes. Open, nothing does, for half a second, and twice as long each time in a row, at most 30
seconds. Then it is half open: one request at a time passes as a probe, whose success closes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_REST_S: Final = 0.5
LONGEST_REST_S: Final = 30.0
#: An endpoint that asks for more is asked again after this.
LONGEST_WAIT_S: Final = 3600.0
#: Failures in a row that open it; those that cost every request a time limit open it at once.
IN_A_ROW: Final = 3
#: It opens as well where this share of the last requests failed, of at least so many.
FAILING_SHARE: Final = 0.5
FEW: Final = 10.0
#: Seconds after which it is worth looking again whether a probe has come back.
PROBE_S: Final = 0.1
#: Seconds after which a request counts half.
HALF_LIFE_S: Final = 10.0


@dataclass(slots=True)
class Breaker:
    """Whether an endpoint is asked. Times are seconds of a monotonic clock."""

    in_a_row: int = 0
    opened: int = 0
    rests_until: float = 0.0
    #: When it may be asked again, as it said itself.
    waits_until: float = 0.0
    _probing: bool = False
    _good: float = 0.0
    _bad: float = 0.0
    _at: float = 0.0

    @property
    def closed(self) -> bool:
        """Tell whether it is closed."""
        return self.opened == 0

    def blocked_s(self, now: float) -> float:
        """Return for how many seconds no request may pass: it rests, wants to be left alone, or is being probed."""
        if now < self.rests_until or now < self.waits_until:
            return max(self.rests_until, self.waits_until) - now
        return PROBE_S if self._probing and not self.closed else 0.0

    def admits(self, now: float) -> bool:
        """Tell whether a request may pass."""
        return self.blocked_s(now) == 0.0

    def began(self) -> None:
        """Note that a request is sent."""
        self._probing = True

    def succeeded(self, now: float) -> None:
        """Note that a request was answered."""
        self._count(now, good=1)
        self.in_a_row = 0
        self.opened = 0
        self._probing = False

    def failed(self, now: float, *, at_once: bool = False) -> None:
        """Note that a request failed; `at_once` opens it without waiting for more.

        Requests that were under way together fail together: once it rests, they make it rest no longer.
        """
        self._count(now, bad=1)
        self._probing = False
        self.in_a_row += 1
        if self.rests_until > now:
            return
        if at_once or not self.closed or self.in_a_row >= IN_A_ROW or self._mostly_fails():
            self.rests_until = now + min(LONGEST_REST_S, FIRST_REST_S * 2 ** min(self.opened, 10))
            self.opened += 1

    def abandoned(self) -> None:
        """Note that a request ended without saying anything about the endpoint."""
        self._probing = False

    def rest_until(self, at: float) -> None:
        """Take over a rest that another replica has found to be needed."""
        if at > self.rests_until:
            self.rests_until, self.opened = at, max(self.opened, 1)

    def told_to_wait(self, now: float, seconds: float) -> None:
        """Note that it asks to be left alone."""
        self.waits_until = max(self.waits_until, now + min(seconds, LONGEST_WAIT_S))

    def _count(self, now: float, good: float = 0, bad: float = 0) -> None:
        fades = 0.5 ** (max(now - self._at, 0) / HALF_LIFE_S)
        self._good, self._bad, self._at = self._good * fades + good, self._bad * fades + bad, now

    def _mostly_fails(self) -> bool:
        return self._good + self._bad >= FEW and self._bad >= FAILING_SHARE * (self._good + self._bad)
