"""What a quota is, whom it counts for, and what a request is expected to take of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

#: What is counted. `usd` is counted in whole nano-dollars, `concurrent` are requests that are under way.
Unit = Literal["requests", "tokens", "usd", "concurrent"]
#: Whose requests are counted together.
Per = Literal["key", "user", "team", "tag", "model", "policy", "session", "everyone"]
#: The calendar's minute, hour, day or month, in UTC.
WindowKind = Literal["minute", "hour", "day", "month"]


@dataclass(frozen=True, slots=True)
class Quota:
    """So much of a unit, for each holder, in each window.

    `amount` is in requests, tokens or nano-dollars; `window` is None for `concurrent` and per session, which last until
    they end. `of` restricts it to the
    holders of these names (None: every holder has a count of its own). `cheaper_from` is the share used from which on
    money is dearer (None: never). `refuses_unpriced` tells whether it refuses requests of unknown price, which it
    cannot count; `paced` whether it is spent evenly over its window. `own` is a quota that belongs to one key.
    """

    name: str
    per: Per
    unit: Unit
    amount: int
    window: WindowKind | None
    of: frozenset[str] | None = None
    cheaper_from: float | None = None
    refuses_unpriced: bool = True
    paced: bool = False
    own: bool = False


@dataclass(slots=True)
class Holder:
    """On whose account a request goes; empty texts name nobody. `own` are the quotas of the key itself."""

    key: str = ""
    user: str = ""
    team: str = ""
    tags: tuple[str, ...] = ()
    policy: str = ""
    session: str = ""
    own: tuple[Quota, ...] = field(default=())

    def under(self, policy: str) -> Holder:
        """Return the account as requests of a policy use it."""
        return Holder(self.key, self.user, self.team, self.tags, policy, self.session, self.own)


@dataclass(slots=True)
class Estimate:
    """What a request may take: tokens of prompt and answer together, and nano-dollars (None: its price is unknown)."""

    tokens: int
    nano_usd: int | None
