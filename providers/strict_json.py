"""JSON as RFC 8259 has it, and no deeper than anybody needs: what Python's own reader takes beyond that is refused."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

#: How deeply arrays and objects may stand in one another. Schemas of tools are the deepest in use, at about twenty.
MAX_DEPTH: Final = 128


class InvalidJson(ValueError):
    """A text is no JSON, or too deep; the message says where it ends to be some, in words that follow `it`."""


def refuse_constant(name: str) -> NoReturn:
    """Refuse `NaN`, `Infinity` and `-Infinity`. Raises `InvalidJson`."""
    raise InvalidJson(f"is not JSON: it holds {name}")


_decode = json.JSONDecoder(parse_constant=refuse_constant).decode


def parse(raw: bytes) -> Any:
    """Return what a text in UTF-8 stands for. Raises `InvalidJson`."""
    try:
        text = raw.decode()
        value = _decode(text)
    except InvalidJson:
        raise
    except (ValueError, RecursionError) as error:
        raise refused(error) from error
    # With so few bytes it cannot be too deep, as is the rule for chunks of a stream.
    if len(text) > 2 * MAX_DEPTH:
        check_depth(text, value)
    return value


def refused(error: ValueError | RecursionError) -> InvalidJson:
    """Return what an error of Python's reader means."""
    if isinstance(error, UnicodeDecodeError):
        return InvalidJson(f"is not UTF-8 (byte {error.start})")
    if isinstance(error, RecursionError):
        return too_deep()
    if isinstance(error, json.JSONDecodeError):
        return InvalidJson(f"is not JSON: {error.msg} at character {error.pos}")
    return InvalidJson(f"is not JSON: {error}")  # an integer of thousands of digits


def too_deep() -> InvalidJson:
    """Return the error of what is too deep."""
    return InvalidJson(f"is nested too deeply: more than {MAX_DEPTH} arrays and objects within each other")


def check_depth(text: str, value: Any) -> None:
    """Check that what was read of a text is not too deep, level by level. Raises `InvalidJson`."""
    # With so few brackets it cannot be, as is the rule.
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            one
            for container in level
            for one in (container.values() if isinstance(container, dict) else container)
            if isinstance(one, dict | list)
        ]
        if not level:
            return
    raise too_deep()
