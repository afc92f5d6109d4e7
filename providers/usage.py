"""Reads token counts and costs out of the `usage` objects of OpenAI's dialect, as its speakers write them."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from providers.types import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

#: More tokens, and more USD, than any one answer has: what is beyond is nonsense, and would not fit into the log.
MOST_TOKENS, MOST_USD = 10**12, Decimal(10**6)
#: xAI's unit of money: ten billion are a dollar.
TICKS = Decimal(10**10)

#: What an endpoint says of parts that it does not count.
_NOTHING: Final[Mapping[str, Any]] = {}
#: Under which names parts are found, the usual one first: in the details, and beside them in the usage itself.
_CACHED: Final = ("cached_tokens",)
_CACHED_BESIDE: Final = ("cache_read_input_tokens", "prompt_cache_hit_tokens", "cached_tokens")
_WRITTEN: Final = ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")
_WRITTEN_BESIDE: Final = ("cache_creation_input_tokens",)
_REASONING: Final = ("reasoning_tokens",)
#: Members that say nothing of parts.
_TOTALS: Final = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})
#: Members that say what an answer costs.
_MONEY: Final = frozenset({"cost", "estimated_cost", "cost_in_usd_ticks"})


def read_usage(body: Mapping[str, Any]) -> Usage | None:
    """Return the usage of a completion or of a chunk; None where it has none, or none that makes sense.

    `total_tokens` has the last word. Where it is more than prompt and completion, the endpoint counts a part beside
    them, which is added: the tokens of the cache to the prompt if they make up the difference, else the difference,
    which is reasoning, to the completion.
    """
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    cost = None if _MONEY.isdisjoint(usage) else _cost(usage)
    if prompt is None or completion is None or (prompt == completion == 0 and not cost):
        return None  # no prompt has no tokens: this endpoint did not count
    beside = max((_count(usage.get("total_tokens")) or 0) - prompt - completion, 0)
    if usage.keys() <= _TOTALS:
        return Usage(prompt, completion + beside, reasoning_tokens=beside)
    of_prompt, of_completion = _details(usage, "prompt_tokens_details"), _details(usage, "completion_tokens_details")
    cached = _first(of_prompt, _CACHED, usage, _CACHED_BESIDE)
    written = _first(of_prompt, _WRITTEN, usage, _WRITTEN_BESIDE)
    reasoning = _first(of_completion, _REASONING, usage, _REASONING)
    if beside and beside != reasoning and beside == cached + written:
        prompt += beside
    elif beside:
        completion, reasoning = completion + beside, max(reasoning, beside)
    return Usage(
        prompt,
        completion,
        cached_tokens=min(cached, prompt),
        cache_write_tokens=min(written, prompt),
        reasoning_tokens=min(reasoning, completion),
        audio_prompt_tokens=_part(of_prompt, "audio_tokens", prompt),
        audio_completion_tokens=_part(of_completion, "audio_tokens", completion),
        image_prompt_tokens=_part(of_prompt, "image_tokens", prompt),
        image_completion_tokens=_part(of_completion, "image_tokens", completion),
        cost_usd=cost,
    )


def larger(a: Usage | None, b: Usage | None) -> Usage | None:
    """Return the larger count of each field, and the larger cost.

    Right for endpoints that count up from chunk to chunk and for those that report once.
    """
    if a is None or b is None:
        return a or b
    pairs = ((getattr(a, one.name), getattr(b, one.name)) for one in fields(Usage))
    return Usage(*(x if y is None else y if x is None else max(x, y) for x, y in pairs))


def _count(value: object) -> int | None:
    """Return a token count, or None for what is none (`True` is an int in Python, and no count)."""
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def _details(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what is said of the parts of a count."""
    details = usage.get(name)
    return details if isinstance(details, dict) else _NOTHING


def _first(
    details: Mapping[str, Any], inside: tuple[str, ...], usage: Mapping[str, Any], beside: tuple[str, ...]
) -> int:
    """Return the first count that is found under one of the names, 0 where there is none."""
    for name in inside:
        if name in details and (count := _count(details[name])) is not None:
            return count
    for name in beside:
        if name in usage and (count := _count(usage[name])) is not None:
            return count
    return 0


def _part(details: Mapping[str, Any], name: str, most: int) -> int:
    """Return the count under a name, up to `most`; 0 where there is none."""
    return min(_count(details[name]) or 0, most) if name in details else 0


def _at(usage: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Return the member at a path, or None."""
    found: Any = usage
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _cost(usage: Mapping[str, Any]) -> Decimal | None:
    """Return the USD that the endpoint says it charges, or None.

    OpenRouter gives `cost`, and where it used the customer's own key at the vendor, that is its fee alone; Perplexity
    an object with `total_cost`; DeepInfra `estimated_cost`; xAI a number of ticks.
    """
    ticks = _count_of_ticks(usage.get("cost_in_usd_ticks"))
    if ticks is not None:
        return ticks
    for path in (("cost",), ("cost", "total_cost"), ("estimated_cost",)):
        if (cost := _usd(_at(usage, path))) is not None:
            theirs = _usd(_at(usage, ("cost_details", "upstream_inference_cost")))
            return cost + theirs if usage.get("is_byok") is True and theirs is not None else cost
    return None


def _count_of_ticks(value: object) -> Decimal | None:
    return _usd(value / TICKS) if isinstance(value, int) and not isinstance(value, bool) else None


def _usd(value: object) -> Decimal | None:
    """Return an amount of money; JSON's floats are taken as they are written."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    amount = Decimal(str(value))
    return amount if amount.is_finite() and 0 <= amount <= MOST_USD else None
