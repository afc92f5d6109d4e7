"""Another model checks an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.gates.verdict import asked_about, verdict
from routers.types import Call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from routers.types import Answer, Candidate, Check, Context


class Judge:
    """Ask a model of the pool whether another one's answer is right.

    Where the judge is not among the candidates, or says nothing that can be read, the chance is `unknown`. Nobody
    judges his own answer: that is `self_verification`.

    Parameters: `model`, the judge; `max_tokens` of its verdict; `unknown` in [0, 1].

    Zheng et al., "Judging LLM-as-a-Judge" (https://arxiv.org/abs/2306.05685).
    """

    requires: frozenset[str] = frozenset()

    def __init__(self, model: str, max_tokens: int = 200, unknown: float = 0.0) -> None:
        if max_tokens < 1 or not 0 <= unknown <= 1:
            raise ValueError(f"max_tokens={max_tokens} must be positive, and unknown={unknown} in [0, 1]")
        self.model, self.max_tokens, self.unknown = model, max_tokens, unknown

    @property
    def named(self) -> frozenset[str]:
        """Return the judge."""
        return frozenset({self.model})

    @property
    def asks(self) -> Mapping[str, object]:
        """Want nothing in particular."""
        return {}

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return 1 where the judge finds the answer right, 0 where not."""
        del context
        judge = next((one for one in candidates if one.model == self.model), None)
        if judge is None or judge == answer.candidate:
            return self.unknown
        (said,) = yield Call(
            candidates=(judge,),
            propensities={judge.model: 1.0},
            why=f"judge {judge.model}",
            stream=False,
            turns=asked_about(answer),
            parameters={"temperature": 0, "max_tokens": self.max_tokens},
            bare=True,
        )
        found = verdict(said)
        return self.unknown if found is None else found
