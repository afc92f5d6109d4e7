"""Plain values that a row is made of.

Ids are text, times integer microseconds since 1970 (UTC), mappings JSON. Text is Unicode text: a lone surrogate, which
JSON lets a client send, becomes U+FFFD.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import to_json

Value = str | int | float | bytes | None
Row = tuple[Value, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_DAY = 86_400_000_000
_ONE_SECOND = 1_000_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST = 2**63 - 1


def to_micros(at: datetime) -> int:
    """Return a time as microseconds since 1970, UTC. Raises `ValueError` for a time without a zone."""
    if at.utcoffset() is None:
        raise ValueError(f"time {at} has no time zone: use datetime.now(UTC)")
    since = at - _EPOCH
    return since.days * _ONE_DAY + since.seconds * _ONE_SECOND + since.microseconds


def from_micros(micros: int) -> datetime:
    """Return microseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def unicode_text(value: str | None) -> str | None:
    """Return text as it is stored: with U+FFFD for each lone surrogate."""
    return value if value is None or value.isascii() else _SURROGATE.sub("\ufffd", value)


def integer(value: int | None) -> int | None:
    """Return an integer as it is. Raises `ValueError` for one that a column does not hold."""
    if value is not None and abs(value) > _LARGEST:
        raise ValueError(f"{value} does not fit into 64 bits")
    return value


def real(value: float | None) -> float | None:
    """Return a number as it is. Raises `ValueError` for one that is not finite."""
    # SQLite would turn NaN into NULL, which means unknown.
    if value is not None and not math.isfinite(value):
        raise ValueError(f"a time or value is {value}; use None where it is unknown")
    return value


def json_text(value: Mapping[str, Any] | list[Any]) -> str:
    """Return a mapping or a list as JSON text. Raises `TypeError` for what JSON does not have."""
    try:
        # A third of what `json.dumps` takes: it is most of a row's cost.
        return to_json(value).decode()
    except ValueError:  # a lone surrogate, a mapping that is no dictionary, or what neither of the two can write
        plain = dict(value) if isinstance(value, Mapping) else value
        return json.dumps(plain, separators=(",", ":"))
