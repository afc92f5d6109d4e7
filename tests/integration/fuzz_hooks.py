"""What the fuzzer is told: the names of models that there are, so that requests get past the first check."""

from __future__ import annotations

from typing import Any

import schemathesis

NAMES = ("good", "other", "no-usage", "unpriced", "auto", "auto:cheap", "auto:0.3")


@schemathesis.hook
def map_body(_context: Any, body: Any) -> Any:
    """Name a model that exists in three of four bodies that name any."""
    name = body.get("model") if isinstance(body, dict) else None
    if not isinstance(name, str) or not name or len(name) % 4 == 3:
        return body
    return {**body, "model": NAMES[sum(name.encode()) % len(NAMES)]}
