"""How sure a model was of its own words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from routers.types import Answer, Candidate, Check, Context


class Logprob:
    """Go by the log probabilities of an answer's tokens: their geometric mean, or that of the unlikeliest ones.

    It says nothing where the endpoint gave none: the chance is then `unknown`.

    Parameters: `worst`, the share of the tokens that count, the unlikeliest ones; `unknown` in [0, 1].

    Mean log-probability as confidence: FrugalGPT's and AutoMix' baselines; the low quantile after
    Gupta et al., "Language Model Cascades: Token-level uncertainty and beyond" (https://arxiv.org/abs/2404.10136).
    """

    requires: frozenset[str] = frozenset()

    def __init__(self, worst: float = 1.0, unknown: float = 0.0) -> None:
        if not 0 < worst <= 1 or not 0 <= unknown <= 1:
            raise ValueError(f"worst={worst} must be in (0, 1], and unknown={unknown} in [0, 1]")
        self.worst, self.unknown = worst, unknown

    @property
    def asks(self) -> Mapping[str, object]:
        """Want the log probabilities."""
        return {"logprobs": True}

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return the mean probability."""
        del context, candidates
        yield from ()  # nobody is asked
        if not answer.logprobs:
            return self.unknown
        kept = sorted(answer.logprobs)[: max(1, round(self.worst * len(answer.logprobs)))]
        return min(math.exp(sum(kept) / len(kept)), 1.0)
