"""Does a model say something like it when it is asked again?"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from routers.types import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Answer, Candidate, Check, Context

#: Turns texts into unit vectors `[n, d]`; it may not take long, for it is asked while a request waits.
Encode: TypeAlias = "Callable[[Sequence[str]], NDArray[np.float32]]"


class Similarity:
    """Ask the model again, `samples` times, and go by how near in meaning its answers are to the one at hand.

    It fits prose, of which no two answers are the same, as `agreement` fits results that are. The score is the mean
    cosine of their embeddings, 0 where it is negative, or where an answer is none. Cosines are no chances: let
    `calibrated` turn them into some. `encode` makes the embeddings; the gateway sets it, else nothing can be compared.

    Parameters: `samples`, further ones; `temperature` at which they are drawn.

    Semantic entropy compares samples by meaning (https://www.nature.com/articles/s41586-024-07421-0); by embeddings
    after Manakul et al., "SelfCheckGPT" (https://arxiv.org/abs/2303.08896).
    """

    requires: frozenset[str] = frozenset()

    def __init__(self, samples: int = 2, temperature: float = 0.7) -> None:
        if samples < 1 or temperature <= 0:
            raise ValueError(f"samples={samples} must be at least 1, and temperature={temperature} above 0")
        self.samples, self.temperature = samples, temperature
        self.encode: Encode | None = None

    @property
    def asks(self) -> Mapping[str, object]:
        """Want nothing in particular of the answer at hand."""
        return {}

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return the mean cosine. Raises `RuntimeError` where nobody has set `encode`."""
        del context, candidates
        further = yield Call(
            candidates=(answer.candidate,) * self.samples,
            propensities={answer.candidate.model: 1.0},
            why=f"similarity samples={self.samples}",
            stream=False,
            parameters={"temperature": self.temperature},
        )
        if self.encode is None:
            raise RuntimeError("the gate 'similarity' has no encoder: set `encode` before it is asked")
        said = [one.text for one in further if one.error is None and not one.refusal and one.text.strip()]
        if not said or not answer.text.strip():
            return 0.0
        vectors = self.encode([answer.text, *said])
        cosines = np.clip(vectors[1:] @ vectors[0], 0.0, 1.0)
        return float(cosines.sum()) / self.samples
