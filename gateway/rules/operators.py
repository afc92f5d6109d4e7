"""What an atom may ask of a feature's value: operators in pairs of opposites, each a predicate."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Tells something of a value that is known.
Predicate = Callable[[Any], bool]

#: What an operator compares with: a number, a text, several of them, or nothing.
Operand = float | str | tuple[float, ...] | tuple[str, ...] | None


class Operator(Enum):
    """What may be asked of a value. Every operator has an opposite, which no value that is known escapes."""

    ABOVE = "above"
    AT_LEAST = "at least"
    BELOW = "below"
    AT_MOST = "at most"
    IN = "in"
    NOT_IN = "not in"
    MATCHES = "matches"
    NOT_MATCHES = "does not match"
    STARTS_WITH = "starts with"
    NOT_STARTS_WITH = "does not start with"
    ENDS_WITH = "ends with"
    NOT_ENDS_WITH = "does not end with"
    CONTAINS = "contains"
    NOT_CONTAINS = "does not contain"
    ANY_OF = "any of"
    NONE_OF = "none of"
    ALL_OF = "all of"
    NOT_ALL_OF = "not all of"
    EMPTY = "empty"
    NOT_EMPTY = "not empty"
    TRUE = "true"
    FALSE = "false"
    PRESENT = "present"
    ABSENT = "absent"


_PAIRS = (
    (Operator.ABOVE, Operator.AT_MOST),
    (Operator.AT_LEAST, Operator.BELOW),
    (Operator.IN, Operator.NOT_IN),
    (Operator.MATCHES, Operator.NOT_MATCHES),
    (Operator.STARTS_WITH, Operator.NOT_STARTS_WITH),
    (Operator.ENDS_WITH, Operator.NOT_ENDS_WITH),
    (Operator.CONTAINS, Operator.NOT_CONTAINS),
    (Operator.ANY_OF, Operator.NONE_OF),
    (Operator.ALL_OF, Operator.NOT_ALL_OF),
    (Operator.EMPTY, Operator.NOT_EMPTY),
    (Operator.TRUE, Operator.FALSE),
    (Operator.PRESENT, Operator.ABSENT),
)

#: Holds of a known value exactly where the operator does not.
OPPOSITES: Mapping[Operator, Operator] = dict(_PAIRS) | {second: first for first, second in _PAIRS}

#: Whether the value is known at all: the only operators that are never unknown.
OF_PRESENCE = frozenset({Operator.PRESENT, Operator.ABSENT})


def is_known(value: object) -> bool:
    """Tell whether a feature's value says anything: None and NaN do not."""
    return value is not None and value == value  # noqa: PLR0124 - NaN alone differs from itself


def predicate(asked: Operator, operand: Operand) -> Predicate:
    """Return what tells whether a known value is as asked.

    Of NaN, an operator and its opposite are both false. Raises `re.error` for a bad regular expression.
    """
    return _BUILDERS[asked](operand)


def _matches(pattern: str) -> Predicate:
    search = re.compile(pattern).search
    return lambda value: search(value) is not None


def _lacks_match(pattern: str) -> Predicate:
    search = re.compile(pattern).search
    return lambda value: search(value) is None


def _not_in(values: tuple[Any, ...]) -> Predicate:
    unwanted = frozenset(values)
    return lambda value: is_known(value) and value not in unwanted


def _any_of(values: tuple[str, ...]) -> Predicate:
    disjoint = frozenset(values).isdisjoint
    return lambda value: not disjoint(value)


def _not_all_of(values: tuple[str, ...]) -> Predicate:
    subset = frozenset(values).issubset
    return lambda value: not subset(value)


_BUILDERS: Mapping[Operator, Callable[[Any], Predicate]] = {
    Operator.ABOVE: lambda bound: lambda value: value > bound,
    Operator.AT_LEAST: lambda bound: lambda value: value >= bound,
    Operator.BELOW: lambda bound: lambda value: value < bound,
    Operator.AT_MOST: lambda bound: lambda value: value <= bound,
    Operator.IN: lambda values: frozenset(values).__contains__,
    Operator.NOT_IN: _not_in,
    Operator.MATCHES: _matches,
    Operator.NOT_MATCHES: _lacks_match,
    Operator.STARTS_WITH: lambda text: lambda value: value.startswith(text),
    Operator.NOT_STARTS_WITH: lambda text: lambda value: not value.startswith(text),
    Operator.ENDS_WITH: lambda text: lambda value: value.endswith(text),
    Operator.NOT_ENDS_WITH: lambda text: lambda value: not value.endswith(text),
    Operator.CONTAINS: lambda text: lambda value: text in value,
    Operator.NOT_CONTAINS: lambda text: lambda value: text not in value,
    Operator.ANY_OF: _any_of,
    Operator.NONE_OF: lambda values: frozenset(values).isdisjoint,
    Operator.ALL_OF: lambda values: frozenset(values).issubset,
    Operator.NOT_ALL_OF: _not_all_of,
    Operator.EMPTY: lambda _: operator.not_,
    Operator.NOT_EMPTY: lambda _: bool,
    Operator.TRUE: lambda _: bool,
    Operator.FALSE: lambda _: operator.not_,
    Operator.PRESENT: lambda _: is_known,
    Operator.ABSENT: lambda _: lambda value: not is_known(value),
}
