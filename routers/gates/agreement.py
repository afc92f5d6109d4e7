"""Does a model say the same when it is asked again?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.answers.agreement import ballots
from routers.answers.canonical import canonical
from routers.gates.resampling import Resampling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Answer, Candidate, Check, Context


class Agreement(Resampling):
    """Ask the model again, `samples` times, and go by how many of all its answers come to the same.

    The answer at hand is one of them, so that agreement among others does not speak for it. Samples cost as much as
    answers do: it pays where the model is far cheaper than the next (https://arxiv.org/abs/2305.05176).

    Parameters: `samples`, further ones; `temperature` at which they are drawn.

    Wang et al., "Self-consistency" (https://arxiv.org/abs/2203.11171).
    """

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return the share of all answers that come to the same as the one at hand."""
        del context, candidates
        further = yield self.further(answer, "agreement")
        form = canonical(answer)
        alike = next((b.weight for b in ballots([answer, *further]) if canonical(b.answers[0]) == form), 0.0)
        return alike / (1 + self.samples)
