"""The state of a component's parts, in one set of arrays: each part's names under a prefix of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[np.generic]]


def prefixed(prefix: str, arrays: Arrays) -> dict[str, NDArray[np.generic]]:
    """Put a part's arrays under its name.

    >>> prefixed("costs", {"models": 1})
    {'costs.models': 1}
    """
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def below(prefix: str, arrays: Arrays) -> dict[str, NDArray[np.generic]]:
    """Return the arrays that stand under a part's name, by the part's own names.

    >>> below("costs", {"costs.models": 1, "estimator.models": 2})
    {'models': 1}
    """
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
