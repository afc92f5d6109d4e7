"""What was expected of a model before it answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from routers.types import Answer, Candidate, Check, Context

#: The feature under which a plan tells gates what its router expected of the model that has answered.
EXPECTED: Final = "expected_reward"


class Expected:
    """Go by the reward that the plan's router expected, whatever the answer: one of several gates to be combined.

    A verdict that is wrong now and then says more together with how likely the answer was to be good.

    Parameters: `unknown` in [0, 1], where nothing was expected.
    """

    requires: frozenset[str] = frozenset()

    def __init__(self, unknown: float = 0.5) -> None:
        if not 0 <= unknown <= 1:
            raise ValueError(f"unknown={unknown} must be in [0, 1]")
        self.unknown = unknown

    @property
    def asks(self) -> Mapping[str, object]:
        """Want nothing in particular."""
        return {}

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return what was expected."""
        del answer, candidates
        yield from ()  # nobody is asked
        found = context.features.get(EXPECTED)
        return min(max(float(found), 0.0), 1.0) if isinstance(found, float | int) else self.unknown
