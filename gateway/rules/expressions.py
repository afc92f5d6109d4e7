"""The tree of a condition: atoms, joined by all, any and not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gateway.rules.operators import OF_PRESENCE, OPPOSITES, Operator, is_known, predicate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.rules.operators import Operand, Predicate
    from gateway.signals.base import Kind
    from routers.types import Feature


@dataclass(frozen=True, slots=True)
class Atom:
    """One question about one feature."""

    feature: str
    kind: Kind
    operator: Operator
    operand: Operand = None
    #: Answers the question for a value that is known.
    predicate: Predicate = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the predicate."""
        object.__setattr__(self, "predicate", predicate(self.operator, self.operand))

    def opposite(self) -> Atom:
        """Return the atom that is true where this is false, and unknown where this is."""
        return replace(self, operator=OPPOSITES[self.operator])

    def judge(self, features: Mapping[str, Feature]) -> bool | None:
        """Return whether it holds; None where the feature is unknown."""
        value = features.get(self.feature)
        if is_known(value) or self.operator in OF_PRESENCE:
            return self.predicate(value)
        return None


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; without parts, always."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part holds; without parts, never."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Expression


Expression = Atom | AllOf | AnyOf | Not


def atoms(expression: Expression) -> Iterator[Atom]:
    """Yield the atoms of a tree, as written."""
    if isinstance(expression, Atom):
        yield expression
    elif isinstance(expression, Not):
        yield from atoms(expression.part)
    else:
        for part in expression.parts:
            yield from atoms(part)
