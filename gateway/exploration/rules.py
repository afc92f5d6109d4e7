"""How far a policy explores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Why a request does not explore: its policy, its caller's key or it itself does not want it, the day's money is spent,
#: or there is a bound on money and no cost is known.
Because = Literal["policy", "caller", "request", "budget", "cost_unknown"]


@dataclass(frozen=True, slots=True)
class ExplorationRules:
    """Whether routers may try what does not look best, and the USD that this may cost in a day (None: no bound)."""

    enabled: bool = True
    max_usd_per_day: float | None = None


#: The default: routers explore as far as their options say.
UNBOUNDED = ExplorationRules()
