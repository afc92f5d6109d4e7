"""Compiles a condition into closures that tell one thing, fast: does it definitely hold?

Negations are pushed down to the atoms, which De Morgan's laws allow in three-valued logic too, and an atom has an
opposite. What remains are `and` and `or` over atoms that are each definitely true or not: plain two-valued logic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from gateway.rules.expressions import AllOf, Atom, Not
from gateway.rules.operators import OF_PRESENCE, Operator
from routers.types import Feature

if TYPE_CHECKING:
    from gateway.rules.expressions import Expression

#: Tells something of what is known about a request.
Test = Callable[[Mapping[str, Feature]], bool]

#: Slower than others by an order of magnitude or more.
_SEARCHING = frozenset({Operator.MATCHES, Operator.NOT_MATCHES})


def compile_test(expression: Expression, *, wanted: bool = True) -> Test:
    """Return a test that is true exactly where the expression is definitely `wanted`."""
    if isinstance(expression, Atom):
        return _asking(expression if wanted else expression.opposite())
    if isinstance(expression, Not):
        return compile_test(expression.part, wanted=not wanted)
    # The order of parts cannot be told from the result, so what is slow to find out comes last.
    tests = [compile_test(part, wanted=wanted) for part in sorted(expression.parts, key=_searches)]
    if len(tests) == 1:
        return tests[0]
    return _every(tests) if isinstance(expression, AllOf) == wanted else _some(tests)


def _searches(expression: Expression) -> bool:
    if isinstance(expression, Atom):
        return expression.operator in _SEARCHING
    if isinstance(expression, Not):
        return _searches(expression.part)
    return any(_searches(part) for part in expression.parts)


def _asking(atom: Atom) -> Test:
    feature, predicate = atom.feature, atom.predicate
    if atom.operator in OF_PRESENCE:
        return lambda features: predicate(features.get(feature))

    def test(features: Mapping[str, Feature]) -> bool:
        value = features.get(feature)
        return value is not None and predicate(value)

    return test


def _every(tests: Sequence[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda features: first(features) and second(features)

    def test(features: Mapping[str, Feature]) -> bool:
        for part in tests:  # noqa: SIM110 - a generator would cost as much again as what it asks
            if not part(features):
                return False
        return True

    return test


def _some(tests: Sequence[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda features: first(features) or second(features)

    def test(features: Mapping[str, Feature]) -> bool:
        for part in tests:  # noqa: SIM110 - a generator would cost as much again as what it asks
            if part(features):
                return True
        return False

    return test
