"""What a condition may come to where some features were never looked for, which is not the same as not known.

A feature that a signal did not find is absent, and the logic of conditions says what follows. A feature that nobody
looked for might have been anything: what depends on it cannot be told.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from gateway.rules.expressions import AllOf, Atom, Not
from gateway.rules.operators import OF_PRESENCE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gateway.rules.expressions import Expression
    from gateway.rules.projections import Projections
    from routers.types import Feature

#: Kleene's three values in their order: false, unknown, true.
_FALSE, _UNKNOWN, _TRUE = range(3)
_VALUE: Final[Mapping[bool | None, int]] = {False: _FALSE, None: _UNKNOWN, True: _TRUE}


def may_hold(expression: Expression, features: Mapping[str, Feature], unseen: Collection[str]) -> bool | None:
    """Tell whether a condition definitely holds, whatever the unseen features are; None where that depends on them.

    Sound: an answer is right. That two parts depend on the same feature is not taken into account, so that it may
    depend less than this says.
    """
    values = _values(expression, features, unseen)
    if values == {_TRUE}:
        return True
    return None if _TRUE in values else False


def with_dependents(unseen: frozenset[str], projections: Projections) -> frozenset[str]:
    """Return the unseen features, and those of the projections that depend on them."""
    for projection in projections.ordered:
        if projection.features & unseen:
            unseen |= projection.provides.keys()
    return unseen


def _values(expression: Expression, features: Mapping[str, Feature], unseen: Collection[str]) -> frozenset[int]:
    if isinstance(expression, Atom):
        return _of_atom(expression, features, unseen)
    if isinstance(expression, Not):
        return frozenset(_TRUE - value for value in _values(expression.part, features, unseen))
    join, found = (min, _TRUE) if isinstance(expression, AllOf) else (max, _FALSE)
    joined = frozenset({found})
    for part in expression.parts:
        joined = frozenset(join(pair) for pair in product(joined, _values(part, features, unseen)))
    return joined


def _of_atom(atom: Atom, features: Mapping[str, Feature], unseen: Collection[str]) -> frozenset[int]:
    if atom.feature not in unseen:
        return frozenset({_VALUE[atom.judge(features)]})
    if atom.operator in OF_PRESENCE:
        return frozenset({_FALSE, _TRUE})
    return frozenset({_FALSE, _UNKNOWN, _TRUE})
