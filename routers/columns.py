"""Columns by model name: what was learned for one set of models, laid out for another."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

T = TypeVar("T", np.float32, np.float64)


def union(known: Iterable[str], new: Iterable[str]) -> tuple[str, ...]:
    """Return the models of both, those known first, each once."""
    return tuple(dict.fromkeys((*known, *new)))


def spread(values: NDArray[T], models: Sequence[str], onto: Sequence[str], fill: float) -> NDArray[T]:
    """Move the columns of `values` `[..., m]` from the order of `models` to that of `onto`.

    A model of `onto` that has no column is filled with `fill`; a model that `onto` lacks is left out.
    """
    targets, sources = _moves(tuple(models), tuple(onto))
    if len(targets) == len(onto):
        return values.take(sources, axis=-1)
    spread_out = np.full((*values.shape[:-1], len(onto)), fill, dtype=values.dtype)
    spread_out[..., targets] = values.take(sources, axis=-1)
    return spread_out


@lru_cache(maxsize=1024)
def _moves(models: tuple[str, ...], onto: tuple[str, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where columns go, and where from. A gateway asks for the same few pools over and over."""
    place = {model: column for column, model in enumerate(models)}
    kept = [(target, place[model]) for target, model in enumerate(onto) if model in place]
    moves = np.array(kept, np.intp).reshape(-1, 2).T
    return moves[0], moves[1]
