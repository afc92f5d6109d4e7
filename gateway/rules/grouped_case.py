"""A case with its atoms grouped by feature: whether it is possible, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.rules.contradictions import impossible
from gateway.rules.operators import Operator

if TYPE_CHECKING:
    from gateway.rules.cases import Case
    from gateway.rules.expressions import Atom
    from gateway.rules.facts import Facts


class GroupedCase:
    """A case among others, under the same facts."""

    def __init__(self, case: Case, facts: Facts) -> None:
        self._facts = facts
        self._by_feature: dict[str, list[Atom]] = {}
        for atom in dict.fromkeys(case):
            self._by_feature.setdefault(atom.feature, []).append(atom)
        self._atoms = [(atom, atom.opposite()) for atoms in self._by_feature.values() for atom in atoms]
        self._spoken_of = facts.certain | self._by_feature.keys()
        #: Features that are not absent where the case holds.
        self._known = facts.certain | {atom.feature for atom, _ in self._atoms if atom.operator is not Operator.ABSENT}

    def possible(self) -> bool:
        """Tell whether nothing is known to keep the atoms from holding together."""
        return not any(impossible(atoms, self._facts) for atoms in self._by_feature.values())

    def entails(self, other: GroupedCase) -> bool:
        """Tell whether the other case holds wherever this one does, as far as can be told."""
        return other._by_feature.keys() <= self._spoken_of and all(
            self._entails(atom, opposite) for atom, opposite in other._atoms
        )

    def _entails(self, atom: Atom, opposite: Atom) -> bool:
        """Refute what else there could be: that the atom is unknown, or that it is false."""
        about = self._by_feature.get(atom.feature, [])
        if atom.feature not in self._known:
            return atom in about
        return impossible([*about, opposite], self._facts)
