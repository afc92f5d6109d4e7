"""Contradictions: atoms about one feature that no value can satisfy together.

Sound, not complete: a contradiction that is found is one, and some (of regular expressions, say) are not found.
"""

from __future__ import annotations

import math
from itertools import combinations, starmap
from typing import TYPE_CHECKING, Any

from gateway.rules.operators import OF_PRESENCE, OPPOSITES, Operator
from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.rules.expressions import Atom
    from gateway.rules.facts import Facts


def impossible(atoms: Sequence[Atom], facts: Facts) -> bool:
    """Tell whether atoms about one feature contradict each other, or what is known of the feature."""
    if any(atom.operator is Operator.ABSENT for atom in atoms):
        return atoms[0].feature in facts.certain or any(atom.operator is not Operator.ABSENT for atom in atoms)
    asked = [atom for atom in atoms if atom.operator not in OF_PRESENCE]
    if not asked:
        return False
    return any(starmap(_opposed, combinations(asked, 2))) or _BY_KIND[asked[0].kind](asked, facts)


def _opposed(first: Atom, second: Atom) -> bool:
    return OPPOSITES[first.operator] is second.operator and first.operand == second.operand


def _of_number(atoms: Sequence[Atom], facts: Facts) -> bool:
    low, high = facts.ranges.get(atoms[0].feature, (-math.inf, math.inf))
    if listed := _operands(atoms, Operator.IN):
        return not _satisfiable(atoms, [value for value in listed[0] if low <= value <= high])
    lowest = max([low, *_operands(atoms, Operator.ABOVE), *_operands(atoms, Operator.AT_LEAST)])
    highest = min([high, *_operands(atoms, Operator.BELOW), *_operands(atoms, Operator.AT_MOST)])
    return lowest > highest or (lowest == highest and not _satisfiable(atoms, [lowest]))


def _of_text(atoms: Sequence[Atom], facts: Facts) -> bool:
    choices = facts.choices.get(atoms[0].feature)
    if listed := _operands(atoms, Operator.IN):
        return not _satisfiable(atoms, [value for value in listed[0] if choices is None or value in choices])
    return _contradicting_parts(atoms) if choices is None else not _satisfiable(atoms, choices)


def _contradicting_parts(atoms: Sequence[Atom]) -> bool:
    starts, ends = _operands(atoms, Operator.STARTS_WITH), _operands(atoms, Operator.ENDS_WITH)
    start, end = max(starts, key=len, default=""), max(ends, key=len, default="")
    parts = [start, end, *_operands(atoms, Operator.CONTAINS)]
    return (
        not all(start.startswith(other) for other in starts)
        or not all(end.endswith(other) for other in ends)
        or any(start.startswith(other) for other in _operands(atoms, Operator.NOT_STARTS_WITH))
        or any(end.endswith(other) for other in _operands(atoms, Operator.NOT_ENDS_WITH))
        or any(other in part for other in _operands(atoms, Operator.NOT_CONTAINS) for part in parts)
    )


def _of_texts(atoms: Sequence[Atom], facts: Facts) -> bool:
    choices = facts.choices.get(atoms[0].feature)
    banned = _members(atoms, Operator.NONE_OF)
    needed = _members(atoms, Operator.ALL_OF)
    for wanted in _operands(atoms, Operator.ANY_OF):
        left = [value for value in wanted if value not in banned and (choices is None or value in choices)]
        if not left:
            return True
        if len(left) == 1:
            needed.update(left)
    return bool(
        needed & banned
        or (choices is not None and needed - choices)
        or any(needed.issuperset(values) for values in _operands(atoms, Operator.NOT_ALL_OF))
        or (any(atom.operator is Operator.EMPTY for atom in atoms) and (needed or _operands(atoms, Operator.ANY_OF)))
    )


def _of_truth(_atoms: Sequence[Atom], _facts: Facts) -> bool:
    return False  # True and false are opposites, and have been compared.


_BY_KIND: Mapping[Kind, Callable[[Sequence[Atom], Facts], bool]] = {
    Kind.NUMBER: _of_number,
    Kind.TEXT: _of_text,
    Kind.TRUTH: _of_truth,
    Kind.TEXTS: _of_texts,
}


def _operands(atoms: Sequence[Atom], asked: Operator) -> list[Any]:
    return [atom.operand for atom in atoms if atom.operator is asked]


def _members(atoms: Sequence[Atom], asked: Operator) -> set[str]:
    return {value for values in _operands(atoms, asked) for value in values}


def _satisfiable(atoms: Sequence[Atom], values: Iterable[Any]) -> bool:
    return any(all(atom.predicate(value) for atom in atoms) for value in values)
