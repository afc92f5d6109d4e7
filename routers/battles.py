"""Battles: two models answered the same request, and one answer was the better."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import union
from routers.rows import appended
from routers.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.rows import Rows
    from routers.types import FloatArray, Outcomes

    Index = NDArray[np.intp]
    Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Battles:
    """Battles in columns, `b` of them over `n` requests.

    `embeddings` is `[n, d]`; the rest is of length `b`: the row of the request, the two models as places in
    `models`, and the result for the first of them, 1 won, 0 lost, 0.5 a tie. Raises `ValueError` where a
    column is of another length, a model fights itself, or a result lies outside [0, 1].

    >>> battles = Battles.won(np.eye(2, dtype=np.float32), winners=["large", "small"], losers=["small", "large"])
    >>> battles.models, battles.firsts.tolist(), battles.results.tolist()
    (('large', 'small'), [0, 1], [1.0, 1.0])
    """

    models: tuple[str, ...]
    embeddings: FloatArray
    rows: Index
    firsts: Index
    seconds: Index
    results: Vector

    def __post_init__(self) -> None:
        """Refuse columns that do not fit."""
        lengths = {len(column) for column in (self.rows, self.firsts, self.seconds, self.results)}
        if len(lengths) > 1:
            raise ValueError(f"rows, firsts, seconds and results must be of one length, not of {sorted(lengths)}")
        if (itself := np.flatnonzero(self.firsts == self.seconds)).size:
            raise ValueError(f"battle {itself[0]} is one of {self.models[self.firsts[itself[0]]]!r} with itself")
        # Negated, so that NaN, which compares false with all, is refused.
        if (wrong := np.flatnonzero(~((self.results >= 0) & (self.results <= 1)))).size:
            raise ValueError(f"battle {wrong[0]} has the result {self.results[wrong[0]]}, which must lie in [0, 1]")

    def __len__(self) -> int:
        return len(self.results)

    @classmethod
    def empty(cls) -> Battles:
        """Return no battles."""
        none = np.zeros(0, np.intp)
        return cls((), np.zeros((0, 0), np.float32), none, none, none, np.zeros(0))

    @classmethod
    def won(
        cls,
        embeddings: FloatArray,
        winners: Sequence[str],
        losers: Sequence[str],
        ties: Sequence[bool] | None = None,
    ) -> Battles:
        """Return one battle for each row of `embeddings`; where `ties` is true neither won."""
        models = union(winners, losers)
        place = {model: column for column, model in enumerate(models)}
        firsts, seconds = (np.array([place[model] for model in side], np.intp) for side in (winners, losers))
        results = np.where(ties, 0.5, 1.0) if ties is not None else np.ones(len(firsts))
        return cls(models, embeddings, np.arange(len(embeddings)), firsts, seconds, results)

    @classmethod
    def of(cls, table: Outcomes | Rows, rng: np.random.Generator, limit: int, *, ties: bool = False) -> Battles:
        """Return a battle for every row and two models that were both observed and whose rewards differ.

        With `ties` those of equal reward count too. Beyond `limit` an even sample is drawn. Rows without an
        embedding are left out.
        """
        pairs = np.array(list(combinations(range(len(table.models)), 2)), np.intp).reshape(-1, 2)
        rewards = np.where(_usable(table.embeddings)[:, None], table.rewards, np.nan).astype(np.float64)
        fought = np.array([_fought(rewards, first, second, ties=ties) for first, second in pairs], np.bool_)
        which, joined = np.nonzero(fought.reshape(len(pairs), len(rewards)))
        if len(which) > limit:
            kept = np.sort(rng.choice(len(which), limit, replace=False, shuffle=False))
            which, joined = which[kept], joined[kept]
        firsts, seconds = pairs[which, 0], pairs[which, 1]
        results = 0.5 + 0.5 * np.sign(rewards[joined, firsts] - rewards[joined, seconds])
        return cls(table.models, table.embeddings, joined, firsts, seconds, results)

    def append(self, other: Battles, limit: int) -> Battles:
        """Return these battles and the other ones, without the oldest beyond `limit`.

        Embeddings become unit vectors rounded to half precision. Raises `ValueError` where they are of
        another length than those of these battles.
        """
        if not len(other):
            return self.among(union(self.models, other.models))
        embeddings = appended(self.embeddings, other.embeddings)
        models = union(self.models, other.models)
        places = np.array([models.index(model) for model in other.models], np.intp)
        start = len(embeddings) - len(other.embeddings)
        # A request that no battle is about any more is dropped.
        used, rows = np.unique(np.concatenate([self.rows, other.rows + start])[-limit:], return_inverse=True)
        firsts = np.concatenate([self.firsts, places[other.firsts]])[-limit:]
        seconds = np.concatenate([self.seconds, places[other.seconds]])[-limit:]
        results = np.concatenate([self.results, other.results])[-limit:]
        return Battles(models, embeddings[used], rows.astype(np.intp), firsts, seconds, results)

    def take(self, battles: NDArray[np.intp] | NDArray[np.bool_]) -> Battles:
        """Return some battles, of the same requests."""
        return replace(
            self,
            rows=self.rows[battles],
            firsts=self.firsts[battles],
            seconds=self.seconds[battles],
            results=self.results[battles],
        )

    def among(self, models: tuple[str, ...]) -> Battles:
        """Return the same battles with the models counted as in `models`, which has all of them."""
        places = np.array([models.index(model) for model in self.models], np.intp)
        return replace(self, models=models, firsts=places[self.firsts], seconds=places[self.seconds])

    def tally(self) -> Tally:
        """Count each model's results, a tie as 0.5."""
        fighters = np.concatenate([self.firsts, self.seconds])
        results = np.concatenate([self.results, 1 - self.results])
        counted = [np.bincount(fighters, results**power, len(self.models)) for power in range(3)]
        return Tally(self.models, np.stack(counted))

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the columns as arrays by name."""
        return {
            "models": np.array(self.models, dtype=np.str_),
            "embeddings": self.embeddings.astype(np.float16),
            "rows": self.rows,
            "firsts": self.firsts,
            "seconds": self.seconds,
            "results": self.results,
        }

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]]) -> Battles:
        """Return what `state` returned. Raises `KeyError` where an array is missing."""
        rows, firsts, seconds = (state[name].astype(np.intp) for name in ("rows", "firsts", "seconds"))
        embeddings, results = state["embeddings"].astype(np.float32), state["results"].astype(np.float64)
        return cls(tuple(state["models"].tolist()), embeddings, rows, firsts, seconds, results)


def _usable(embeddings: FloatArray) -> NDArray[np.bool_]:
    lengths = np.linalg.norm(embeddings, axis=1)
    return np.asarray(np.isfinite(lengths) & (lengths > 0))


def _fought(rewards: Vector, first: int, second: int, *, ties: bool) -> NDArray[np.bool_]:
    """Tell on which rows two models have rewards that differ (or, with ties, rewards)."""
    one, other = rewards[:, first], rewards[:, second]
    observed = ~(np.isnan(one) | np.isnan(other))
    return np.asarray(observed & (ties | (one != other)))
