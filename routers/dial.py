"""The dial between cheapest and best."""

from __future__ import annotations


def checked_weight(quality_weight: float) -> float:
    """Return a weight of quality that lies between the dial's ends. Raises `ValueError` for another.

    >>> checked_weight(0.7)
    0.7
    """
    if not 0 <= quality_weight <= 1:
        raise ValueError(f"quality_weight={quality_weight} must lie between 0 (cheapest) and 1 (best)")
    return quality_weight
