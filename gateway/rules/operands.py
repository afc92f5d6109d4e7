"""Values as users write them beside an operator: checked one by one, with an error that says what is needed."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from gateway.config.loader import did_you_mean
from gateway.rules.errors import ConditionError

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.config.loader import Place

#: Characters of a wrong value that a message repeats.
SHOWN_CHARACTERS = 60


def number(value: Any, place: Place) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConditionError(place, f"needs a number, not {shown(value)}")
    try:
        converted = float(value)
    except OverflowError:
        converted = math.inf
    if not math.isfinite(converted):
        raise ConditionError(place, f"needs a finite number, not {shown(value)}")
    return converted


def text(value: Any, place: Place) -> str:
    """Return a text."""
    if isinstance(value, str):
        return value
    # YAML takes `no` for false and `3` for a number.
    hint = "; put it in quotes" if isinstance(value, bool | int | float) else ""
    raise ConditionError(place, f"needs a text, not {shown(value)}{hint}")


def part(value: Any, place: Place) -> str:
    """Return a text that is not empty, of which a longer one may consist."""
    if not text(value, place):
        raise ConditionError(place, "may not be empty: every text would do")
    return str(value)


def truth(value: Any, place: Place) -> bool:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    raise ConditionError(place, f"needs true or false, not {shown(value)}")


def pattern(value: Any, place: Place) -> str:
    """Return a text that is a regular expression."""
    written = part(value, place)
    try:
        re.compile(written)
    except re.error as error:
        where = "" if error.pos is None else f" at position {error.pos}"
        raise ConditionError(place, f"is not a regular expression: {error.msg}{where}") from error
    except (OverflowError, RecursionError) as error:
        raise ConditionError(place, f"is not a regular expression: {error}") from error
    return written


def numbers(value: Any, place: Place) -> tuple[float, ...]:
    """Return one number or more."""
    return tuple(number(item, (*place, n)) for n, item in enumerate(_items(value, place)))


def texts(value: Any, place: Place) -> tuple[str, ...]:
    """Return one text or more."""
    return tuple(text(item, (*place, n)) for n, item in enumerate(_items(value, place)))


def members(value: Any, place: Place) -> tuple[str, ...]:
    """Return texts, perhaps none: the value of a feature, rather than what to compare it with."""
    return () if value == [] else texts(value, place)


def options(value: Any, known: Collection[str], place: Place) -> dict[str, Any]:
    """Return a mapping whose keys are all known."""
    if not isinstance(value, dict):
        raise ConditionError(place, f"needs a mapping of options, not {shown(value)}")
    for name in value:
        if name not in known:
            raise ConditionError((*place, name), f"unknown option; {did_you_mean(name, known)}")
    return value


def shown(value: Any) -> str:
    """Return a wrong value for a message: what it is rather than what is in it, where it is long."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 64:
        return "a number of this size"
    written = str(value).lower() if isinstance(value, bool) else repr(value)
    return written if len(written) <= SHOWN_CHARACTERS else f"{written[:SHOWN_CHARACTERS]}..."


def _items(value: Any, place: Place) -> list[Any]:
    if not isinstance(value, list):
        raise ConditionError(place, f"needs a list, not {shown(value)}")
    if not value:
        raise ConditionError(place, "needs at least one value: an empty list matches nothing")
    return value
