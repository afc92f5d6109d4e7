"""What an answer is charged with, and on whose word."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.signals.tokens import estimate_tokens
from providers.types import Usage

if TYPE_CHECKING:
    from decimal import Decimal

    from gateway.events import CostSource
    from gateway.pricing import Tariff
    from providers.types import Reply


@dataclass(frozen=True, slots=True)
class Charge:
    """What an answer costs, and how that is known. Both are None where it is unknown."""

    usd: Decimal | None
    source: CostSource | None


UNKNOWN = Charge(None, None)


def charge(reply: Reply, tariff: Tariff | None, prompt_tokens: int) -> Charge:
    """Return what an answer costs, as far as it has come.

    The endpoint's own figure goes first, then its counts by the tariff. Where it did not count, or did not come to the
    end of it, `prompt_tokens` and an estimate of what it has said are charged.
    """
    usage = reply.usage
    if usage is None or not reply.settled:
        return _estimated(reply, usage, tariff, prompt_tokens)
    if usage.cost_usd is not None:
        return Charge(usage.cost_usd, "reported")
    return UNKNOWN if tariff is None else Charge(tariff.cost_usd(usage), "priced")


def _estimated(reply: Reply, usage: Usage | None, tariff: Tariff | None, prompt_tokens: int) -> Charge:
    """Return an estimate, and at least what the endpoint has counted or charged up to now."""
    so_far = usage.cost_usd if usage else None
    if tariff is None:
        return UNKNOWN if so_far is None else Charge(so_far, "estimated")
    counted = usage or Usage(prompt_tokens, 0)
    completion_tokens = max(counted.completion_tokens, produced_tokens(reply))
    cost = tariff.cost_usd(replace(counted, completion_tokens=completion_tokens))
    return Charge(cost if so_far is None else max(cost, so_far), "estimated")


def produced_tokens(reply: Reply) -> int:
    """Return about how many tokens an endpoint has produced, those of reasoning that it hides excepted."""
    produced = reply.produced()
    return math.ceil(estimate_tokens(produced.text) / produced.share)
