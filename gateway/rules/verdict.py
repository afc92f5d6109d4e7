"""Verdicts: whether a condition holds, and the atoms that decided it, as text only when somebody reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.rules.expressions import AllOf, Atom, Not
from gateway.rules.wording import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.rules.expressions import AnyOf, Expression
    from routers.types import Feature


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one atom: whether it holds (None: unknown), and the feature's value (None: absent)."""

    atom: Atom
    holds: bool | None
    value: Feature | None

    def __str__(self) -> str:
        return describe(self.atom, self.value, holds=self.holds)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds (None: unknown), and why: the atoms that suffice to decide it, as written.

    None are needed for a condition that always or never holds.
    """

    holds: bool | None
    found: tuple[Found, ...]

    def __str__(self) -> str:
        return "; ".join(str(found) for found in self.found) or ("always" if self.holds else "never")


def judge(expression: Expression, features: Mapping[str, Feature]) -> Verdict:
    """Return the verdict on an expression, by Kleene's strong three-valued logic."""
    holds, deciding = _decide(expression, features)
    found = tuple(Found(atom, atom.judge(features), features.get(atom.feature)) for atom in deciding)
    return Verdict(holds, found)


def _decide(expression: Expression, features: Mapping[str, Feature]) -> tuple[bool | None, Sequence[Atom]]:
    if isinstance(expression, Atom):
        return expression.judge(features), (expression,)
    if isinstance(expression, Not):
        holds, deciding = _decide(expression.part, features)
        return (None if holds is None else not holds), deciding
    return _decide_joined(expression, features)


def _decide_joined(expression: AllOf | AnyOf, features: Mapping[str, Feature]) -> tuple[bool | None, Sequence[Atom]]:
    """Ask the parts up to one that decides; where none does, those that are unknown prevail over the others."""
    decisive = not isinstance(expression, AllOf)
    known: list[Atom] = []
    unknown: list[Atom] = []
    for part in expression.parts:
        holds, deciding = _decide(part, features)
        if holds is decisive:
            return decisive, deciding
        (unknown if holds is None else known).extend(deciding)
    return (None, unknown) if unknown else (not decisive, known)
