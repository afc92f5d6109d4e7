"""Reads conditions as users write them: mappings from features, or from `all`, `any` and `not`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gateway.config.loader import did_you_mean
from gateway.rules import operands
from gateway.rules.conditions import Condition
from gateway.rules.errors import ConditionError
from gateway.rules.expressions import AllOf, AnyOf, Atom, Expression, Not
from gateway.rules.features import require_kind
from gateway.rules.operators import OPPOSITES, Operator
from gateway.signals.base import Kind

if TYPE_CHECKING:
    from gateway.config.loader import Place
    from gateway.rules.operators import Operand

#: Keys that join conditions: no feature may be called so.
JOINING = frozenset({"all", "any", "not"})
#: How many times `all`, `any` and `not` may stand within each other.
MAX_DEPTH = 32

_Reader = Callable[[Any, "Place"], "Operand"]
_Row = tuple[Operator, _Reader]


def _one_number(value: Any, place: Place) -> tuple[float, ...]:
    return (operands.number(value, place),)


def _one_text(value: Any, place: Place) -> tuple[str, ...]:
    return (operands.text(value, place),)


#: What users may write beside a feature, by the feature's kind.
WRITTEN: Mapping[Kind, Mapping[str, _Row]] = {
    Kind.NUMBER: {
        "above": (Operator.ABOVE, operands.number),
        "at_least": (Operator.AT_LEAST, operands.number),
        "below": (Operator.BELOW, operands.number),
        "at_most": (Operator.AT_MOST, operands.number),
        "equals": (Operator.IN, _one_number),
        "not_equals": (Operator.NOT_IN, _one_number),
        "in": (Operator.IN, operands.numbers),
        "not_in": (Operator.NOT_IN, operands.numbers),
    },
    Kind.TEXT: {
        "equals": (Operator.IN, _one_text),
        "not_equals": (Operator.NOT_IN, _one_text),
        "in": (Operator.IN, operands.texts),
        "not_in": (Operator.NOT_IN, operands.texts),
        "matches": (Operator.MATCHES, operands.pattern),
        "starts_with": (Operator.STARTS_WITH, operands.part),
        "ends_with": (Operator.ENDS_WITH, operands.part),
        "contains": (Operator.CONTAINS, operands.part),
    },
    Kind.TRUTH: {},
    Kind.TEXTS: {
        "any_of": (Operator.ANY_OF, operands.texts),
        "all_of": (Operator.ALL_OF, operands.texts),
        "none_of": (Operator.NONE_OF, operands.texts),
    },
}
#: What a value without an operator means: alone, and as a list.
_PLAIN: Mapping[Kind, tuple[_Row, _Row]] = {
    Kind.NUMBER: ((Operator.IN, _one_number), (Operator.IN, operands.numbers)),
    Kind.TEXT: ((Operator.IN, _one_text), (Operator.IN, operands.texts)),
    Kind.TEXTS: ((Operator.ANY_OF, _one_text), (Operator.ANY_OF, operands.texts)),
}
#: Operators that are turned on and off, by the feature's kind.
_SWITCHES: Mapping[Kind, Mapping[str, Operator]] = {kind: {"present": Operator.PRESENT} for kind in Kind} | {
    Kind.TEXTS: {"present": Operator.PRESENT, "empty": Operator.EMPTY}
}


def parse_condition(written: Any, known: Mapping[str, Kind], place: Place = ()) -> Condition:
    """Return the condition that a user wrote; an empty mapping always holds.

    `known` are the features that there are; a name that ends in `.*` stands for all that begin so. Raises
    `ConditionError` with the place of what is wrong, which begins with `place`.
    """
    return Condition(_Parser(known, len(place)).mapping(written, place, 0))


class _Parser:
    """Reads one condition."""

    def __init__(self, known: Mapping[str, Kind], start: int) -> None:
        self._known = known
        self._start = start

    def mapping(self, written: Any, place: Place, depth: int) -> Expression:
        if not isinstance(written, dict):
            hint = "; an empty one, {}, always holds" if written is None else ""
            raise ConditionError(place, f"needs a mapping from features, not {operands.shown(written)}{hint}")
        if depth > MAX_DEPTH:
            raise ConditionError(place[: self._start], f"has conditions nested more than {MAX_DEPTH} deep")
        return _joined([self._entry(key, value, (*place, key), depth) for key, value in written.items()])

    def _entry(self, key: str, value: Any, place: Place, depth: int) -> Expression:
        if key == "not":
            return Not(self.mapping(value, place, depth + 1))
        if key not in JOINING:
            return _about(key, require_kind(key, self._known, place), value, place)
        if not isinstance(value, list) or not value:
            found = "an empty list" if value == [] else operands.shown(value)
            raise ConditionError(place, f"needs a list of at least one condition, not {found}")
        parts = tuple(self.mapping(part, (*place, n), depth + 1) for n, part in enumerate(value))
        return AllOf(parts) if key == "all" else AnyOf(parts)


def _about(feature: str, kind: Kind, value: Any, place: Place) -> Expression:
    """Return what is asked of one feature."""
    if not isinstance(value, dict):
        return _plain(feature, kind, value, place)
    if not value:
        raise ConditionError(place, f"needs an operator; {did_you_mean('', _names(kind))}")
    return _joined([_asked(feature, kind, name, operand, (*place, name)) for name, operand in value.items()])


def _plain(feature: str, kind: Kind, value: Any, place: Place) -> Atom:
    if kind is Kind.TRUTH:
        return Atom(feature, kind, Operator.TRUE if operands.truth(value, place) else Operator.FALSE)
    operator, read = _PLAIN[kind][isinstance(value, list)]
    return Atom(feature, kind, operator, read(value, place))


def _asked(feature: str, kind: Kind, name: str, value: Any, place: Place) -> Atom:
    if name in WRITTEN[kind]:
        operator, read = WRITTEN[kind][name]
        return Atom(feature, kind, operator, read(value, place))
    if name in _SWITCHES[kind]:
        operator = _SWITCHES[kind][name]
        return Atom(feature, kind, operator if operands.truth(value, place) else OPPOSITES[operator])
    fitting = [other.value for other in Kind if name in _names(other)]
    if fitting:
        message = f"asks for a {' or a '.join(fitting)}, and {feature!r} is a {kind.value}"
        raise ConditionError(place, f"{message}; known: {', '.join(sorted(_names(kind)))}")
    raise ConditionError(place, f"unknown operator; {did_you_mean(name, _names(kind))}")


def _names(kind: Kind) -> set[str]:
    return {*WRITTEN[kind], *_SWITCHES[kind]}


def _joined(parts: list[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))
