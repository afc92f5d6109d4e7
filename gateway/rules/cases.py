"""Cases: a condition as alternatives, each of which is atoms that hold together (disjunctive normal form)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from gateway.rules.expressions import AllOf, AnyOf, Atom, Not
from gateway.rules.operators import OF_PRESENCE, Operator

if TYPE_CHECKING:
    from gateway.rules.expressions import Expression

#: Atoms that hold together.
Case = tuple[Atom, ...]

#: A condition with more cases is not analysed.
MAX_CASES = 128


def cases(expression: Expression, *, wanted: bool = True) -> tuple[Case, ...] | None:
    """Return the cases in which an expression is definitely `wanted`; None where they are too many."""
    if isinstance(expression, Atom):
        return ((expression if wanted else expression.opposite(),),)
    if isinstance(expression, Not):
        return cases(expression.part, wanted=not wanted)
    parts = [cases(part, wanted=wanted) for part in expression.parts]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    return _together(found) if isinstance(expression, AllOf) == wanted else _either(found)


def complement(expression: Expression, *, wanted: bool = True) -> Expression:
    """Return what definitely holds exactly where an expression is not definitely `wanted`: it, or unknown."""
    if isinstance(expression, Atom):
        atom = (expression if wanted else expression.opposite()).opposite()
        if atom.operator in OF_PRESENCE:
            return atom
        return AnyOf((atom, Atom(atom.feature, atom.kind, Operator.ABSENT)))
    if isinstance(expression, Not):
        return complement(expression.part, wanted=not wanted)
    parts = tuple(complement(part, wanted=wanted) for part in expression.parts)
    return AnyOf(parts) if isinstance(expression, AllOf) == wanted else AllOf(parts)


def _either(parts: list[tuple[Case, ...]]) -> tuple[Case, ...] | None:
    joined = tuple(case for part in parts for case in part)
    return joined if len(joined) <= MAX_CASES else None


def _together(parts: list[tuple[Case, ...]]) -> tuple[Case, ...] | None:
    joined: list[Case] = [()]
    for part in parts:
        if len(joined) * len(part) > MAX_CASES:
            return None
        joined = [(*first, *second) for first, second in product(joined, part)]
    return tuple(joined)
