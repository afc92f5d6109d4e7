"""Spends a sum evenly over its window, by a price of money that follows how fast it is spent.

The simple companion of PORT's dual price (arXiv 2509.02718): where a request is answered by whoever maximises quality
minus price times cost, the price

    price <- clip(price * exp(gain * (rate / target - 1)), 1, highest)

rises while money is spent faster than what is left allows for the time that is left, and falls back when it is not.
It is never below 1: who spends less than the sum allows is not made to spend more than the policy asks for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.quotas.windows import Window

#: The price changes at most this often in a window: every five minutes of a month, every ten seconds of a day.
STEPS: Final = 8640
#: It is e times higher after this many steps at twice the target: three hours of a month. In simulated months, slower
#: spends the first day's money and more, faster follows every hour of the day.
SLOWNESS: Final = 36.0
#: Faster than (this + 1) times the target counts as that, so that one burst does not stop all for long.
MOST: Final = 20.0
HIGHEST: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The price of money, and what had been spent in a window when it was last changed."""

    window: Window
    at_ms: int
    spent: int
    price: float = 1.0


def paced(pace: Pace | None, window: Window, budget: int, spent: int, now_ms: int) -> Pace:
    """Return the pace from now on; `budget` and what was `spent` in the window are in one unit.

    A new window begins with the price that the last one ended with.
    """
    if pace is None or pace.window != window:
        at_ms = window.start_ms if pace is not None else now_ms
        return Pace(window, at_ms, 0 if pace is not None else spent, pace.price if pace is not None else 1.0)
    step_ms = (window.end_ms - window.start_ms) / STEPS
    elapsed_ms = now_ms - pace.at_ms
    if elapsed_ms < step_ms:
        return pace
    rate = max(spent - pace.spent, 0) / elapsed_ms
    target = max(budget - spent, 1) / max(window.end_ms - now_ms, step_ms)
    exponent = min(rate / target - 1, MOST) * min(elapsed_ms / step_ms / SLOWNESS, 1.0)
    price = min(max(pace.price * math.exp(exponent), 1.0), HIGHEST)
    return replace(pace, at_ms=now_ms, spent=spent, price=price)
