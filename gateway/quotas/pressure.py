"""How scarce a holder's money is, and what follows: candidates get cheaper before a quota stops them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gateway.quotas.pacing import HIGHEST, Pace, paced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.quotas.types import Quota
    from gateway.quotas.windows import Window

#: Holders whose pace is remembered; beyond that, those that asked nothing for longest are forgotten.
MAX_PACES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Pressure:
    """What a holder's quotas of money make of it.

    `price` is what the cost of each candidate is multiplied by when it is weighed against quality: 1 where money is
    not scarce, and at most 1000. `shares` is what part of each quota is taken, `prices` what each asks for, by name;
    the highest price holds.
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)

    @property
    def price(self) -> float:
        """Return the highest of the prices."""
        return max(self.prices.values(), default=1.0)


#: Where no quota counts money.
NO_PRESSURE: Final = Pressure()


class Paces:
    """The pace of each holder of each quota that is spent evenly."""

    def __init__(self, max_paces: int = MAX_PACES) -> None:
        self._max_paces = max_paces
        self._paces: OrderedDict[tuple[str, str], Pace] = OrderedDict()

    def price(self, quota: Quota, holder: str, window: Window, spent: int, now_ms: int) -> float:
        """Return the price of money that keeps a holder's pace."""
        key = f"{'~' if quota.own else ''}{quota.name}", holder
        pace = paced(self._paces.get(key), window, quota.amount, spent, now_ms)
        self._paces[key] = pace
        self._paces.move_to_end(key)
        if len(self._paces) > self._max_paces:
            self._paces.popitem(last=False)
        return pace.price


def nearing(share: float, cheaper_from: float | None) -> float:
    """Return the price of money as a quota nears its end: 1 up to `cheaper_from`, and from there without bound.

    It is the share that was free at `cheaper_from`, divided by what is free still.
    """
    if cheaper_from is None or share <= cheaper_from:
        return 1.0
    return HIGHEST if share >= 1 else min((1 - cheaper_from) / (1 - share), HIGHEST)
