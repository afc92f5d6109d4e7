"""What a client is told where a quota does not let its request pass.

GatewayError
├── QuotaExceeded      429  rate_limit_exceeded (may be repeated), insufficient_quota or budget_exceeded (may not)
├── QuotaUnpriced      403  the quota counts money, and the price is unknown
└── QuotasUnavailable  503  the shared ledger does not answer, and nothing may pass uncounted
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from gateway.errors import GatewayError, error_body, retry_after
from gateway.store.money import from_nanos

if TYPE_CHECKING:
    from gateway.quotas.claims import Stake
    from gateway.quotas.ledger import Level
    from gateway.quotas.types import Quota

#: How long who finds all places taken is told to wait: nobody knows when one becomes free.
CONCURRENT_WAIT_S = 1.0


#: The codes of what does not begin anew within a minute.
_CODES = {"quota": "insufficient_quota", "budget": "budget_exceeded"}


class QuotaExceeded(GatewayError):
    """A quota is used up. `kind` tells a limit of minutes or of places, which waiting helps, from a budget.

    `limit` and `remaining` are in the quota's unit (dollars as nano-dollars). `of_model`: another model may do.
    """

    status = 429

    def __init__(self, stake: Stake, level: Level, now_ms: int) -> None:
        quota, claim, end_ms = stake.quota, stake.claim, stake.end_ms
        self.quota = quota.name
        self.holder = stake.holder
        self.unit = quota.unit
        self.limit = quota.amount
        self.remaining = max(quota.amount - level.taken, 0)
        # What is left of a session's budget may do for a cheaper one.
        self.of_model = quota.per in {"model", "session"}
        self.reason = "budget" if quota.per == "session" else "quota"
        self.retry_after_s = CONCURRENT_WAIT_S if end_ms is None else max(end_ms - now_ms, 0) / 1000
        brief = quota.unit == "concurrent" or quota.window == "minute"
        # What asks for more than there ever is will not pass later either.
        self.kind: Literal["rate", "quota"] = "rate" if brief and claim.amount <= quota.amount else "quota"
        self.code = "rate_limit_exceeded" if self.kind == "rate" else _CODES[self.reason]
        super().__init__(_message(stake, self.remaining))
        if self.kind == "rate":
            self.headers = retry_after(self.retry_after_s)
        else:
            self.headers = {"x-should-retry": "false"}

    def body(self) -> bytes:
        """Return the answer's body, of the type that OpenAI gives a budget that is used up."""
        kind = None if self.kind == "rate" else "insufficient_quota"
        return error_body(self.status, str(self), self.code, self.param, kind)


class QuotaUnpriced(GatewayError):
    """A quota counts money, the price is unknown, and so the request cannot be counted."""

    status = 403
    code = "price_unknown"

    def __init__(self, quota: Quota, model: str) -> None:
        super().__init__(
            f"The quota {quota.name!r} counts USD, and the price of the model {model!r} is unknown: "
            "its configuration has to state a `price`, or the quota `unpriced: allow`."
        )
        self.quota = quota.name
        self.reason = "quota"
        self.model = model
        self.of_model = True


class QuotasUnavailable(GatewayError):
    """Redis does not answer, and the configuration lets nothing pass that is not counted there."""

    status = 503
    code = "quotas_unavailable"

    def __init__(self) -> None:
        super().__init__("Quotas cannot be counted at the moment, and no request may pass uncounted; try again soon.")
        self.headers = retry_after(1.0)


def _message(stake: Stake, remaining: int) -> str:
    quota, claim = stake.quota, stake.claim
    if quota.unit == "concurrent":
        return f"The quota {_name(stake)} is used up: {quota.amount} requests may be under way at a time."
    asked, whole, left = (shown(quota, amount) for amount in (claim.amount, quota.amount, remaining))
    if quota.window is None:
        return f"The budget of the session is used up: of {whole} {left} are left, and this request may take {asked}."
    told = f"The quota {_name(stake)} is used up: {whole} a {quota.window}, {left} left, and this request takes {asked}"
    if claim.amount > quota.amount:
        return f"{told}, more than it ever has: ask for a shorter answer."
    begins = datetime.fromtimestamp((stake.end_ms or 0) / 1000, UTC)
    return f"{told}. It begins anew at {begins:%Y-%m-%dT%H:%M:%SZ}."


def _name(stake: Stake) -> str:
    per = stake.quota.per
    return f"{stake.quota.name!r}" + (f" of the {per} {stake.holder!r}" if stake.holder else "")


def shown(quota: Quota, amount: int) -> str:
    """Return an amount of a quota with its unit."""
    if quota.unit == "usd":
        return f"{from_nanos(amount).normalize():f} USD"
    return f"{amount} {quota.unit}"
