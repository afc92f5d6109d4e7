"""Gradient descent in minibatches, for what has no closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Parameters = Mapping[str, Array]
    #: Parameters and the rows of a minibatch, to the gradient of its mean loss by parameter.
    Gradient = Callable[[Parameters, NDArray[np.intp]], Parameters]

_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-8


def adam(
    parameters: Parameters,
    gradient: Gradient,
    batches: list[NDArray[np.intp]],
    *,
    learning_rate: float,
    weight_decay: float = 0.0,
) -> dict[str, Array]:
    """Return the parameters after a step for each batch of rows; those given are not changed.

    Weight decay is decoupled, in proportion to the learning rate.

    Adam (https://arxiv.org/abs/1412.6980), AdamW (https://arxiv.org/abs/1711.05101).

    >>> target = np.array([3.0, -1.0])
    >>> steps = [np.arange(2)] * 2000
    >>> found = adam({"x": np.zeros(2)}, lambda p, _: {"x": p["x"] - target}, steps, learning_rate=0.01)
    >>> np.round(found["x"], 2).tolist()
    [3.0, -1.0]
    """
    current = {name: np.array(value, np.float64) for name, value in parameters.items()}
    first = {name: np.zeros_like(value) for name, value in current.items()}
    second = {name: np.zeros_like(value) for name, value in current.items()}
    for step, rows in enumerate(batches, start=1):
        for name, slope in gradient(current, rows).items():
            first[name] += (1 - _FIRST) * (slope - first[name])
            second[name] += (1 - _SECOND) * (slope**2 - second[name])
            size = np.sqrt(second[name] / (1 - _SECOND**step)) + _EPSILON
            move = first[name] / (1 - _FIRST**step) / size + weight_decay * current[name]
            current[name] = current[name] - learning_rate * move
    return current


def minibatches(rows: int, size: int, epochs: int, rng: np.random.Generator) -> list[NDArray[np.intp]]:
    """Return the rows, shuffled anew for each epoch, in pieces of at most `size`."""
    shuffled = (rng.permutation(rows) for _ in range(epochs))
    return [order[start : start + size] for order in shuffled for start in range(0, rows, size)]
