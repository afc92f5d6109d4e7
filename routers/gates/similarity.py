"""Does a model say something like it when it is asked again?"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from routers.gates.resampling import Resampling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from routers.types import Answer, Candidate, Check, Context

#: Turns texts into unit vectors `[n, d]`; it may not take long, for it is asked while a request waits.
Encode: TypeAlias = "Callable[[Sequence[str]], NDArray[np.float32]]"


class Similarity(Resampling):
    """Ask the model again, `samples` times, and go by how near in meaning its answers are to the one at hand.

    It fits prose, of which no two answers are the same, as `agreement` fits results that are. The score is the mean
    cosine of their embeddings, 0 where it is negative, or where an answer is none. Cosines are no chances: let
    `calibrated` turn them into some. `encode` makes the embeddings; the gateway sets it, else nothing can be compared.

    Parameters: `samples`, further ones; `temperature` at which they are drawn.

    Semantic entropy compares samples by meaning (https://www.nature.com/articles/s41586-024-07421-0); by embeddings
    after Manakul et al., "SelfCheckGPT" (https://arxiv.org/abs/2303.08896).
    """

    def __init__(self, samples: int = 2, temperature: float = 0.7) -> None:
        super().__init__(samples, temperature)
        self.encode: Encode | None = None

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return the mean cosine. Raises `RuntimeError` where nobody has set `encode`."""
        del context, candidates
        further = yield self.further(answer, "similarity")
        if self.encode is None:
            raise RuntimeError("the gate 'similarity' has no encoder: set `encode` before it is asked")
        said = [one.text for one in further if one.error is None and not one.refusal and one.text.strip()]
        if not said or not answer.text.strip():
            return 0.0
        vectors = self.encode([answer.text, *said])
        cosines = np.clip(vectors[1:] @ vectors[0], 0.0, 1.0)
        return float(cosines.sum()) / self.samples
