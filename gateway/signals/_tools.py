"""What the tools that a request offers come to in tokens, and how what is no text is written to be measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

#: Of more tools than this, so many are measured, evenly chosen, and stand for the rest.
MEASURED = 8
#: `json.dumps` makes an encoder for each value that it writes in such a way, which takes as long as a small tool.
_write = json.JSONEncoder(ensure_ascii=False).encode


def tokens_of_tools(tools: Sequence[Mapping[str, Any]], count: Callable[[str], float]) -> float:
    """Return how many tokens tools have, where `count` says how many a text has."""
    if not tools:
        return 0.0
    chosen = tools
    if len(tools) > MEASURED:
        chosen = [tools[n * len(tools) // MEASURED] for n in range(MEASURED)]
    return count("\n".join(map(written, chosen))) * len(tools) / len(chosen)


def written(value: object) -> str:
    """Return an object as JSON; nothing for what is none."""
    if not isinstance(value, dict):
        return ""
    try:
        return _write(value)
    except RecursionError:
        # Nested about as deeply as can be read at all: no schema is, and upstream will say so.
        return ""
