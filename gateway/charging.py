"""What an answer is charged with, and on whose word."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.signals.tokens import estimate_tokens
from gateway.store.money import from_nanos, to_nanos
from providers.types import Usage
from providers.usage import MOST_USD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from gateway.events import CostSource, MadeCall
    from gateway.pricing import Tariff
    from providers.types import Reply


@dataclass(slots=True)
class Charge:
    """What an answer costs, and how that is known. Both are None where it is unknown."""

    usd: Decimal | None
    source: CostSource | None


UNKNOWN = Charge(None, None)
#: The error of a call that was given up when somebody else had answered: what it took is owed, known or not.
CANCELLED = "cancelled"


def charge(reply: Reply, tariff: Tariff | None, prompt_tokens: int) -> Charge:
    """Return what an answer costs, as far as it has come.

    The endpoint's own figure goes first, then its counts by the tariff. Where it did not count, did not come to the end
    of it, or counted what costs more than `MOST_USD`, `prompt_tokens` and an estimate of what it has said are charged.
    """
    usage = reply.usage
    if usage is None or not reply.settled:
        return _estimated(reply, usage, tariff, prompt_tokens)
    if usage.cost_usd is not None:
        return Charge(usage.cost_usd, "reported")
    if tariff is None:
        return UNKNOWN
    cost = tariff.cost_usd(usage)
    return Charge(cost, "priced") if cost <= MOST_USD else _estimated(reply, usage, tariff, prompt_tokens)


def together(own: Charge | None, calls: Sequence[MadeCall]) -> Charge:
    """Return what an answer costs with the other calls that were made for it; unknown where one of them is.

    It is known as well as the least known of them. Calls that nobody answered cost nothing. `own` is None where there
    is no answer. Of several, each is rounded as the log rounds it, so that what is logged adds up.
    """
    if not calls:
        return own if own is not None and own.usd is not None else UNKNOWN
    charged = [Charge(call.cost_usd, call.cost_source) for call in calls if owed(call)]
    charged += [] if own is None else [own]
    known = [one.usd for one in charged if one.usd is not None]
    if not known or len(known) < len(charged):
        return UNKNOWN
    if len(charged) == 1:
        return charged[0]
    sources = [one.source for one in charged]
    source = next((one for one in ("estimated", "priced", "reported") if one in sources), None)
    return Charge(from_nanos(sum(map(to_nanos, known))), source)


def tokens_of(own: int | None, calls: Sequence[MadeCall]) -> int | None:
    """Return the tokens of an answer and of the calls before it; None where those of one are not known."""
    counts = [(call.prompt_tokens, call.completion_tokens) for call in calls if owed(call)]
    if own is None or any(prompt is None or completion is None for prompt, completion in counts):
        return None
    return own + sum((prompt or 0) + (completion or 0) for prompt, completion in counts)


def owed(call: MadeCall) -> bool:
    """Tell whether a call is charged for."""
    return call.error in (None, CANCELLED) or call.cost_usd is not None


def _estimated(reply: Reply, usage: Usage | None, tariff: Tariff | None, prompt_tokens: int) -> Charge:
    """Return an estimate, and at least what the endpoint has counted or charged up to now."""
    so_far = usage.cost_usd if usage else None
    cost = None if tariff is None else _priced_estimate(reply, usage, tariff, prompt_tokens)
    known = [one for one in (so_far, cost) if one is not None]
    return Charge(max(known), "estimated") if known else UNKNOWN


def _priced_estimate(reply: Reply, usage: Usage | None, tariff: Tariff, prompt_tokens: int) -> Decimal | None:
    """Return what an estimate costs, with the endpoint's counts where they can be; None where it would be too much."""
    produced = produced_tokens(reply)
    own = Usage(prompt_tokens, produced)
    counted = own if usage is None else replace(usage, completion_tokens=max(usage.completion_tokens, produced))
    cost = tariff.cost_usd(counted)
    if cost > MOST_USD and usage is not None:
        cost = tariff.cost_usd(own)
    return cost if cost <= MOST_USD else None


def produced_tokens(reply: Reply) -> int:
    """Return about how many tokens an endpoint has produced, those of reasoning that it hides excepted."""
    produced = reply.produced()
    return math.ceil(estimate_tokens(produced.text) / produced.share)
