"""Finds places for the names of points, where they cover neither one another nor the points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Boxes = NDArray[np.float64]

#: How far from its point a label is tried in turn.
DISTANCES = (6.0, 12.0, 20.0, 30.0)
DIRECTIONS = 12
#: Half the side of a point's marker.
MARKER = 5.0
#: An area that only rounding leaves.
NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, by its middle and its sides."""

    x: float
    y: float
    width: float
    height: float

    def gap(self, x: float, y: float) -> float:
        """Return how far a point is outside."""
        return math.hypot(
            max(0.0, abs(x - self.x) - self.width / 2),
            max(0.0, abs(y - self.y) - self.height / 2),
        )

    def shared(self, others: Boxes) -> float:
        """Return the area that this and each of others `[n, 4]` both cover, in all."""
        across = (self.width + others[:, 2]) / 2 - abs(self.x - others[:, 0])
        down = (self.height + others[:, 3]) / 2 - abs(self.y - others[:, 1])
        across = np.minimum(across, np.minimum(self.width, others[:, 2])).clip(0)
        down = np.minimum(down, np.minimum(self.height, others[:, 3])).clip(0)
        return float(across @ down)


def place_labels(points: Boxes, sizes: Sequence[tuple[float, float]], frame: Box, in_the_way: Boxes) -> list[Box]:
    """Return where the label of each point goes: the first free place, or that which covers least.

    `points` `[n, 2]` are kept free, and so are places `[m, 2]` that are `in_the_way`. All lengths have one unit.
    Places are tried from the right of a point around it, then further off.
    """
    fixed = [
        np.column_stack([at, np.full((len(at), 2), side)]) for at, side in ((points, 2 * MARKER), (in_the_way, MARKER))
    ]
    taken = np.concatenate([*fixed, np.empty((0, 4))])
    boxes = []
    for (x, y), size in zip(points, sizes, strict=True):
        box = _first_free(list(_places((float(x), float(y)), size)), taken, frame)
        taken = np.concatenate([taken, [[box.x, box.y, box.width, box.height]]])
        boxes.append(box)
    return boxes


def _first_free(places: Sequence[Box], taken: Boxes, frame: Box) -> Box:
    inside = np.array([[frame.x, frame.y, frame.width, frame.height]])
    best, least = places[0], math.inf
    for box in places:
        covered = box.shared(taken) + box.width * box.height - box.shared(inside)
        if covered < NOTHING:
            return box
        if covered < least:
            best, least = box, covered
    return best


def _places(point: tuple[float, float], size: tuple[float, float]) -> Iterator[Box]:
    for distance in DISTANCES:
        for step in range(DIRECTIONS):
            turn = math.tau * step / DIRECTIONS
            x = point[0] + math.cos(turn) * (size[0] / 2 + distance)
            y = point[1] + math.sin(turn) * (size[1] / 2 + distance)
            yield Box(x, y, *size)
