"""The rows that a promise is certified on, apart from those that anything is fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread, union

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.types import Context, Outcomes

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CalibrationRows:
    """Requests, and the rewards `[n, m]` of the models for them (NaN: not observed)."""

    contexts: tuple[Context, ...] = ()
    models: tuple[str, ...] = ()
    rewards: Array | None = None

    def plus(self, outcomes: Outcomes, max_rows: int) -> CalibrationRows:
        """Return these rows and others, without the oldest beyond `max_rows`."""
        models = union(self.models, outcomes.models)
        old = np.zeros((0, len(models))) if self.rewards is None else spread(self.rewards, self.models, models, np.nan)
        new = spread(outcomes.rewards.astype(np.float64), outcomes.models, models, np.nan)
        rewards = np.concatenate([old, new])[-max_rows:]
        return CalibrationRows((*self.contexts, *outcomes.contexts())[-max_rows:], models, rewards)

    def observing(self, model: str) -> tuple[list[Context], Array]:
        """Return the requests of which that model's reward is known, and all their rewards."""
        if self.rewards is None or model not in self.models:
            return [], np.zeros((0, len(self.models)))
        seen = np.flatnonzero(~np.isnan(self.rewards[:, self.models.index(model)]))
        return [self.contexts[row] for row in seen], self.rewards[seen]


def drawn(outcomes: Outcomes, share: float, seed: int) -> NDArray[np.bool_]:
    """Tell which rows are set aside to certify on, by a hash of the request: the same ones in any order or batches.

    Two rows of the same request are on the same side.
    """
    salt = seed.to_bytes(8, "little", signed=True)
    keys = [
        blake2b(embedding.tobytes() + text.encode(errors="surrogatepass"), digest_size=8, salt=salt).digest()
        for embedding, text in zip(outcomes.embeddings, outcomes.texts or [""] * outcomes.n, strict=True)
    ]
    return np.array([int.from_bytes(key, "little") < share * 2**64 for key in keys], np.bool_)
