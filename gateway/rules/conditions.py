"""Conditions: what must be known of a request, as a tree of atoms, and as the test that it compiles to.

Logic has three values (Kleene's strong logic): an atom whose feature is absent is *unknown*, and so is its negation;
`all` is false where a part is false, `any` is true where a part is true, whatever else is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.rules.compiled import compile_test
from gateway.rules.expressions import AllOf, atoms
from gateway.rules.verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.rules.compiled import Test
    from gateway.rules.expressions import Expression
    from routers.types import Feature


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition over features, ready to be asked.

    Features' values must be of the kinds that were declared when the condition was parsed.
    """

    expression: Expression
    #: Tells whether the condition definitely holds: unknown counts as no.
    holds: Test = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the test."""
        object.__setattr__(self, "holds", compile_test(self.expression))

    @property
    def features(self) -> frozenset[str]:
        """Return the features that it reads."""
        return frozenset(atom.feature for atom in atoms(self.expression))

    def check(self, features: Mapping[str, Feature]) -> Verdict:
        """Return whether the condition holds (None: unknown), and the atoms that decided it."""
        return judge(self.expression, features)


#: The condition of a rule without `when`.
ALWAYS = Condition(AllOf(()))
