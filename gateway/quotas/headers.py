"""The headers in which OpenAI tells a client how much of its limits is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a limit of `unit`s, until it begins anew in `reset_ms`."""

    unit: str
    limit: int
    remaining: int
    reset_ms: int


def limit_headers(limits: Iterable[Left]) -> dict[str, str]:
    """Return `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, from the tightest limit of each unit."""
    tightest: dict[str, Left] = {}
    for left in limits:
        if left.unit not in tightest or left.remaining < tightest[left.unit].remaining:
            tightest[left.unit] = left
    headers = {}
    for unit, left in tightest.items():
        headers[f"x-ratelimit-limit-{unit}"] = str(left.limit)
        headers[f"x-ratelimit-remaining-{unit}"] = str(left.remaining)
        headers[f"x-ratelimit-reset-{unit}"] = duration(left.reset_ms)
    return headers


def duration(span_ms: int) -> str:
    """Return a span of time as OpenAI writes it: `6m0s`, `1s`, `120ms`; from a second on in whole ones, rounded up."""
    if span_ms < 1000:
        return f"{max(span_ms, 0)}ms"
    minutes, seconds = divmod(-(-span_ms // 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}s" if hours else f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
