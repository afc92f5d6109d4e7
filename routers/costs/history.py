"""The rows that costs are fitted to: how long requests and answers were, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread, union
from routers.rows import appended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from routers.types import FloatArray, Outcomes


@dataclass(frozen=True, slots=True)
class History:
    """Rows learned, `n` requests by `m` models: never changed, only replaced. NaN was not observed.

    `embeddings` are unit vectors rounded to half precision, zeros where there is none.
    """

    models: tuple[str, ...]
    embeddings: FloatArray  # [n, d]
    prompt_tokens: FloatArray  # [n]
    completion_tokens: FloatArray  # [n, m]
    costs_usd: FloatArray  # [n, m]

    @classmethod
    def empty(cls) -> History:
        """Return no rows, of no models."""
        nothing = np.zeros((0, 0), np.float32)
        return cls((), nothing, np.zeros(0, np.float32), nothing, nothing)

    def __len__(self) -> int:
        return len(self.embeddings)

    def append(self, outcomes: Outcomes, max_rows: int) -> History:
        """Return these rows and those of `outcomes`, without the oldest beyond `max_rows`. A new model is a column.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        embeddings = appended(self.embeddings, outcomes.embeddings)
        models = union(self.models, outcomes.models)
        prompts = np.array(outcomes.prompt_tokens or [np.nan] * outcomes.n, np.float32)

        def joined(old: FloatArray, new: FloatArray) -> FloatArray:
            parts = spread(old, self.models, models, np.nan), spread(new, outcomes.models, models, np.nan)
            return np.concatenate([part.astype(np.float32) for part in parts])[-max_rows:]

        return History(
            models=models,
            embeddings=embeddings[-max_rows:],
            prompt_tokens=np.concatenate([self.prompt_tokens, prompts])[-max_rows:],
            completion_tokens=joined(self.completion_tokens, outcomes.completion_tokens),
            costs_usd=joined(self.costs_usd, outcomes.costs_usd),
        )

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the columns; the embeddings in half precision, which loses nothing."""
        return {
            "models": np.array(self.models, dtype=np.str_),
            "embeddings": self.embeddings.astype(np.float16),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "costs_usd": self.costs_usd,
        }

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]], max_rows: int) -> History:
        """Return what `state` returned, without the oldest beyond `max_rows`. Raises `KeyError`."""
        names = ("embeddings", "prompt_tokens", "completion_tokens", "costs_usd")
        columns = (state[name][-max_rows:].astype(np.float32) for name in names)
        return cls(tuple(state["models"].tolist()), *columns)
