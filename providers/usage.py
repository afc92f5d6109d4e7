"""Reads token counts out of OpenAI's `usage` objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.types import Usage


def read_usage(body: Mapping[str, Any]) -> Usage | None:
    """Return the usage of a completion or of a chunk; None where it has none, or none that makes sense."""
    usage = body.get("usage")
    if not isinstance(usage, Mapping):
        return None
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    return Usage(prompt, completion, min(cached or 0, prompt))


def _count(value: object) -> int | None:
    """Return a token count, or None for what is none (`True` is an int in Python, and no count)."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def larger(a: Usage | None, b: Usage | None) -> Usage | None:
    """Return the larger count of each field.

    Right for endpoints that count up from chunk to chunk and for those that report once.
    """
    if a is None or b is None:
        return a or b
    return Usage(
        max(a.prompt_tokens, b.prompt_tokens),
        max(a.completion_tokens, b.completion_tokens),
        max(a.cached_tokens, b.cached_tokens),
    )
