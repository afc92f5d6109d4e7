"""The rows that an estimator keeps: what it is fitted to, and what it can be fitted to again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread, union
from routers.nearest import greatest
from routers.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeGuard

    from numpy.typing import NDArray

    from routers.nearest import Found, Sieve
    from routers.types import FloatArray, Outcomes


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows learned, `n` requests by `m` models: never changed, only replaced, so that a reader sees one whole state.

    Embeddings are unit vectors rounded to half precision, so that what is loaded is exactly what was saved.
    """

    models: tuple[str, ...]
    embeddings: FloatArray  # [n, d]; zeros for a row that has none
    rewards: FloatArray  # [n, m], NaN where not observed
    tally: Tally

    @classmethod
    def of(cls, models: tuple[str, ...], embeddings: FloatArray, rewards: FloatArray) -> Rows:
        """Keep these rows, whose embeddings are rounded unit vectors already."""
        contiguous = np.ascontiguousarray(embeddings, np.float32)
        return cls(models, contiguous, np.ascontiguousarray(rewards, np.float32), Tally.of(models, rewards))

    @classmethod
    def empty(cls) -> Rows:
        """Return no rows, of no models."""
        return cls.of((), np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))

    def __len__(self) -> int:
        return len(self.embeddings)

    def append(self, outcomes: Outcomes, max_rows: int) -> Rows:
        """Return these rows and those of `outcomes`, without the oldest beyond `max_rows`.

        A row without an embedding (NaN or zeros) counts towards its models' means alone. A new model becomes a
        column. Raises `ValueError` where the embeddings have another length than those learned before.
        """
        embeddings = appended(self.embeddings, outcomes.embeddings)
        models = union(self.models, outcomes.models)
        old = spread(self.rewards, self.models, models, np.nan)
        new = spread(outcomes.rewards.astype(np.float32), outcomes.models, models, np.nan)
        rewards = np.concatenate([old, new])
        return Rows.of(models, embeddings[-max_rows:], rewards[-max_rows:])

    def without(self, model: str) -> Rows:
        """Return these rows, with nothing observed of a model."""
        columns = np.array(self.models, np.str_) == model
        return Rows.of(self.models, self.embeddings, np.where(columns, np.float32(np.nan), self.rewards))

    def nearest(self, embedding: FloatArray | None, count: int, but: int | None = None) -> Found:
        """Return the `count` rows nearest to a request, in their own order, and their cosines, both `[k]`.

        There are none without an embedding; of equals the latest are taken. The row `but` counts as one at a cosine of
        zero. Raises `ValueError` for an embedding of another length than those learned.
        """
        if embedding is None or not len(self):
            return np.zeros(0, np.intp), np.zeros(0, np.float32)
        self.check_length(len(embedding))
        # Not `@`: BLAS would start threads for it, which wait for each other longer than one thread works.
        cosines = np.vecdot(self.embeddings, embedding)
        if but is not None:
            cosines[but] = 0
        near = greatest(cosines, count)
        return near, cosines[near]

    def nearest_each(self, embeddings: Sequence[FloatArray | None], count: int, sieve: Sieve | None) -> list[Found]:
        """Return what `nearest` does for each of some requests; a `sieve` of these rows finds it sooner.

        Raises `ValueError` for an embedding of another length than those learned.
        """
        told: dict[int, Found | None] = {}
        if sieve is not None and len(self):
            there = {at: embedding for at, embedding in enumerate(embeddings) if embedding is not None}
            for embedding in there.values():
                self.check_length(len(embedding))
            if there:
                told = dict(zip(there, sieve.nearest(np.stack(list(there.values())), count), strict=True))
        return [told.get(at) or self.nearest(embedding, count) for at, embedding in enumerate(embeddings)]

    def check_length(self, length: int) -> None:
        """Raise `ValueError` for an embedding of another length than those learned."""
        if len(self):
            check_length(length, self.embeddings.shape[1])

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the models, their rewards, and the embeddings in half precision (which loses nothing)."""
        return {
            "models": np.array(self.models, dtype=np.str_),
            "embeddings": self.embeddings.astype(np.float16),
            "rewards": self.rewards,
        }

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]], max_rows: int) -> Rows:
        """Return what `state` returned, without the oldest beyond `max_rows`. Raises `KeyError`."""
        embeddings, rewards = state["embeddings"][-max_rows:], state["rewards"][-max_rows:]
        return cls.of(tuple(state["models"].tolist()), embeddings.astype(np.float32), rewards.astype(np.float32))


def usable(embedding: FloatArray | None) -> TypeGuard[FloatArray]:
    """Tell whether there is an embedding; one that is not finite, or zero throughout, is none."""
    return embedding is not None and bool(np.isfinite(embedding).all() and embedding.any())


def rounded_units(embeddings: FloatArray) -> FloatArray:
    """Scale rows to unit length and round them to half precision; rows without a length become zeros."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    usable = np.isfinite(lengths) & (lengths > 0)
    units = np.where(usable, embeddings, 0) / np.where(usable, lengths, 1)
    return units.astype(np.float16).astype(np.float32)


def appended(learned: FloatArray, new: FloatArray) -> FloatArray:
    """Return embeddings and new ones, which become rounded units. Raises `ValueError` for new ones of another length.

    >>> appended(np.eye(2, dtype=np.float32), np.array([[0.0, 2.0]])).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    """
    units = rounded_units(new)
    if not len(learned):
        return units
    check_length(units.shape[1], learned.shape[1])
    return np.concatenate([learned, units])


def check_length(length: int, learned: int) -> None:
    """Raise `ValueError` for an embedding of another length than those learned."""
    if length != learned:
        raise ValueError(
            f"an embedding has {length} numbers but those learned have {learned}: "
            "the encoder was changed; run `pointsman train` again"
        )
