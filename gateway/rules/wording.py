"""Says in words what was found of an atom: `domain is 'law', not one of code, math`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.rules.operators import OF_PRESENCE, OPPOSITES, Operator, is_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.rules.expressions import Atom
    from gateway.rules.operators import Operand
    from routers.types import Feature

#: Features whose values are never repeated: what a user wrote belongs in no explanation.
UNSHOWN = frozenset({"text"})
#: Characters of a text that are shown.
SHOWN_CHARACTERS = 60
#: Members of a list that are shown.
SHOWN_MEMBERS = 8

_PHRASES: Mapping[Operator, str] = {
    Operator.ABOVE: "above {}",
    Operator.AT_LEAST: "at least {}",
    Operator.BELOW: "below {}",
    Operator.AT_MOST: "at most {}",
    Operator.IN: "one of {}",
    Operator.NOT_IN: "not one of {}",
    Operator.MATCHES: "a match of {}",
    Operator.NOT_MATCHES: "no match of {}",
    Operator.STARTS_WITH: "beginning with {}",
    Operator.NOT_STARTS_WITH: "not beginning with {}",
    Operator.ENDS_WITH: "ending with {}",
    Operator.NOT_ENDS_WITH: "not ending with {}",
    Operator.CONTAINS: "containing {}",
    Operator.NOT_CONTAINS: "not containing {}",
    Operator.ANY_OF: "with any of {}",
    Operator.NONE_OF: "with none of {}",
    Operator.ALL_OF: "with all of {}",
    Operator.NOT_ALL_OF: "without some of {}",
    Operator.EMPTY: "empty",
    Operator.NOT_EMPTY: "not empty",
    Operator.TRUE: "",
    Operator.FALSE: "",
    Operator.PRESENT: "known",
    Operator.ABSENT: "unknown",
}
_OF_ORDER = frozenset({Operator.ABOVE, Operator.AT_LEAST, Operator.BELOW, Operator.AT_MOST})


def describe(atom: Atom, value: Feature | None, *, holds: bool | None) -> str:
    """Return what was found: the feature, its value, and how that stands to what was asked."""
    if atom.operator in OF_PRESENCE or value is None or not is_known(value):
        return f"{atom.feature} is {'known' if is_known(value) else 'unknown'}"
    relations = _relations(atom, holds=holds is True)
    if atom.feature in UNSHOWN:
        return f"{atom.feature}: {', '.join(relations)}"
    return f"{atom.feature} is {', '.join([show(value), *relations])}"


def show(value: Feature) -> str:
    """Return a value as one would write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "...")
    if isinstance(value, tuple):
        return f"[{', '.join(value[:SHOWN_MEMBERS])}{', ...' if len(value) > SHOWN_MEMBERS else ''}]"
    return f"{value:.15g}"


def _relations(atom: Atom, *, holds: bool) -> list[str]:
    asked = atom.operator
    if asked in _OF_ORDER:
        phrase = _PHRASES[asked] if holds else f"not {_PHRASES[asked]}"
    else:
        phrase = _phrase(asked if holds else OPPOSITES[asked], atom)
    return [phrase.format(_operand(atom.operand))] if phrase else []


def _phrase(asked: Operator, atom: Atom) -> str:
    if isinstance(atom.operand, tuple) and len(atom.operand) == 1 and atom.feature not in UNSHOWN:
        # The value itself has been said already, or else is the only one to be named.
        if asked is Operator.IN:
            return ""
        if asked is Operator.NOT_IN:
            return "not {}"
    return _PHRASES[asked]


def _operand(operand: Operand) -> str:
    if not isinstance(operand, tuple):
        return show(operand) if operand is not None else ""
    if len(operand) == 1:
        return show(operand[0])
    return ", ".join(value if isinstance(value, str) else show(value) for value in operand)
