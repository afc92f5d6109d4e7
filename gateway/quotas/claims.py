"""Which quotas count a request, for whom, and what it claims of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.quotas.crowd import named
from gateway.quotas.errors import QuotaUnpriced
from gateway.quotas.ledger import KEPT_MS, Claim
from gateway.quotas.windows import Window, window_at
from routers.efforts import base_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gateway.quotas.crowd import Crowd
    from gateway.quotas.types import Estimate, Holder, Per, Quota

#: Whom a request is counted for. Keys and users that have no name are counted together, for a limit that is escaped by
#: not saying who one is would be none; who is of no team has no team's share.
_HOLDERS: Mapping[Per, Callable[[Holder, str], tuple[str, ...]]] = {
    "key": lambda holder, _: (holder.key,),
    "user": lambda holder, _: (holder.user,),
    "team": lambda holder, _: (holder.team,) if holder.team else (),
    "tag": lambda holder, _: tuple(dict.fromkeys(holder.tags)),
    "model": lambda _, model: _accounts(model),
    "policy": lambda holder, _: (holder.policy,) if holder.policy else (),
    "session": lambda holder, _: (holder.session,),
    "everyone": lambda _, __: ("",),
}


#: More than any quota has, and exact as a floating-point number, which is what Lua counts in: a client may ask for an
#: answer of any length.
MOST: Final = 2**53 - 1
#: More than any request takes; the sum of very many still fits into 64 bits.
MOST_SPENT: Final = 2**43


@dataclass(slots=True)
class Stake:
    """What a request claims of one quota, on whose account; the window ends at `end_ms` (None: there is none)."""

    quota: Quota
    holder: str
    claim: Claim
    end_ms: int | None


class Claims:
    """Knows the quotas that hold for all, and finds those that count a request."""

    def __init__(self, quotas: Sequence[Quota], crowd: Crowd) -> None:
        self._quotas = tuple(quotas)
        self._of_models = tuple(quota for quota in self._quotas if quota.per == "model")
        #: Whether there are quotas that hold for all, and such that count by model.
        self.for_all, self.by_model = bool(self._quotas), bool(self._of_models)
        self._crowd = crowd

    def stakes(self, holder: Holder, model: str, estimate: Estimate, now_ms: int) -> tuple[Stake, ...]:
        """Return what a request to a model claims.

        Raises `QuotaUnpriced` where a quota counts money and the price is unknown, unless the quota lets that pass.
        """
        return tuple(
            stake
            for quota in self.concerning(holder)
            for name in holders(quota, holder, model)
            if (stake := self._stake(quota, name, model, estimate, now_ms)) is not None
        )

    def concerning(self, holder: Holder) -> tuple[Quota, ...]:
        """Return the quotas that may count a holder's requests: those for all, and its key's own."""
        return self._quotas + holder.own if holder.own else self._quotas

    def of_models(self, models: Sequence[str]) -> Iterator[tuple[Quota, str, str]]:
        """Yield the quotas that count by model, each with each of these models that it counts, and on which account."""
        for quota in self._of_models:
            accounts = ((model, account) for model in models for account in _accounts(model))
            yield from (
                (quota, model, account) for model, account in accounts if quota.of is None or account in quota.of
            )

    def counter(self, quota: Quota, holder: str, now_ms: int) -> tuple[str, Window | None]:
        """Return the name of a holder's counter, and its window."""
        window = window_at(quota.window, now_ms) if quota.window else None
        name = self._crowd.counted(quota.name, window, holder) if quota.per == "user" else named(holder)
        # A key's own quota may be called as one that holds for all.
        counter = f"{'~' if quota.own else ''}{quota.name}|{quota.unit}|{quota.window}"
        return f"{counter}|{window.start_ms if window else ''}|{name}", window

    def _stake(self, quota: Quota, holder: str, model: str, estimate: Estimate, now_ms: int) -> Stake | None:
        amount = amount_of(quota, estimate)
        if amount is None:
            if quota.refuses_unpriced:
                raise QuotaUnpriced(quota, model)
            return None
        counter, window = self.counter(quota, holder, now_ms)
        claim = Claim(counter, min(max(amount, 0), MOST), quota.amount, kept_until_ms(window, now_ms))
        return Stake(quota, holder, claim, window.end_ms if window else None)


def _accounts(model: str) -> tuple[str, ...]:
    """Return on whose accounts a model counts: a quota of the model counts it at every effort."""
    return tuple(dict.fromkeys((base_of(model), model)))


def kept_until_ms(window: Window | None, now_ms: int) -> int:
    """Return until when the counter of a window is kept."""
    return (window.end_ms if window else now_ms) + KEPT_MS


def holders(quota: Quota, holder: Holder, model: str) -> tuple[str, ...]:
    """Return on whose accounts a quota counts a request; none where it does not."""
    names = _HOLDERS[quota.per](holder, model)
    return names if quota.of is None else tuple(name for name in names if name in quota.of)


def spent(stakes: Sequence[Stake], tokens: int | None, nano_usd: int | None) -> tuple[int, ...]:
    """Return what a request has used of each quota; where that is unknown, what it had reserved."""
    return tuple(min(max(_spent(stake, tokens, nano_usd), 0), MOST_SPENT) for stake in stakes)


def _spent(stake: Stake, tokens: int | None, nano_usd: int | None) -> int:
    match stake.quota.unit:
        case "concurrent":
            return 0
        case "tokens" if tokens is not None:
            return tokens
        case "usd" if nano_usd is not None:
            return nano_usd
        case _:
            return stake.claim.amount


def amount_of(quota: Quota, estimate: Estimate) -> int | None:
    """Return what a request may take of a quota; None where a price is unknown."""
    match quota.unit:
        case "tokens":
            return estimate.tokens
        case "usd":
            return estimate.nano_usd
        case _:
            return 1
