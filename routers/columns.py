"""Columns by model name: what was learned for one set of models, laid out for another."""

from __future__ import annotations

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
    spread_out = np.full((*values.shape[:-1], len(onto)), fill, dtype=values.dtype)
    place = {model: column for column, model in enumerate(models)}
    kept = [(target, place[model]) for target, model in enumerate(onto) if model in place]
    if kept:
        targets, sources = zip(*kept, strict=True)
        spread_out[..., list(targets)] = values[..., list(sources)]
    return spread_out
