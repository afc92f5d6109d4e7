"""A model checks its own answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.gates.verdict import asked_about, verdict
from routers.types import Call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from routers.types import Answer, Candidate, Check, Context


class SelfVerification:
    """Ask the model whether its answer is right, `samples` times; go by the share of the votes that say so.

    A vote that cannot be read counts as neither; where none can, the chance is `unknown`. Verification is not free: of
    a short answer it may cost more than the answer.

    Parameters: `samples`; `temperature`; `max_tokens` of a vote; `unknown` in [0, 1].

    AutoMix (https://arxiv.org/abs/2310.12963).
    """

    requires: frozenset[str] = frozenset()

    def __init__(self, samples: int = 4, temperature: float = 0.7, max_tokens: int = 200, unknown: float = 0.0) -> None:
        if samples < 1 or max_tokens < 1 or temperature < 0 or not 0 <= unknown <= 1:
            raise ValueError(f"{samples=} and {max_tokens=} must be positive, {temperature=} not negative")
        self.samples, self.temperature, self.max_tokens, self.unknown = samples, temperature, max_tokens, unknown

    @property
    def asks(self) -> Mapping[str, object]:
        """Want nothing in particular."""
        return {}

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return the share of votes for the answer."""
        del context, candidates
        said = yield Call(
            candidates=(answer.candidate,) * self.samples,
            propensities={answer.candidate.model: 1.0},
            why=f"self_verification samples={self.samples}",
            stream=False,
            turns=asked_about(answer),
            parameters={"temperature": self.temperature, "max_tokens": self.max_tokens},
            bare=True,
        )
        votes = [vote for one in said if (vote := verdict(one)) is not None]
        return sum(votes) / len(votes) if votes else self.unknown
