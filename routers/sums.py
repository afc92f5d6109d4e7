"""Sums that are exact: whatever the order and the grouping in which parts are added, the same bits come out."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Integers = NDArray[np.int64]

#: Steps in one unit: a number is kept to about 2e-10. A sum holds some 2e9 units.
SCALE: Final = 2.0**32


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Named arrays of fixed-point numbers that add up: what one part lacks counts as zeros.

    Floating-point addition is not associative; integers are added, so that replicas that merge the same parts in
    another order hold the same sums, and what was added can be taken back without a trace.

    >>> a, b = Sums.of({"n": [1.0]}), Sums.of({"n": [0.5], "m": [2.0]})
    >>> (a + b)["n"].tolist(), (a + b) == (b + a), (a + b) - b == a
    ([1.5], True, True)
    """

    parts: Mapping[str, Integers] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, ArrayLike]) -> Sums:
        """Return numbers, rounded to the nearest step. Raises `ValueError` for one that is not finite, or too large."""
        return cls({name: _fixed(name, np.asarray(value, np.float64)) for name, value in values.items()})

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """Return one array as numbers. Raises `KeyError` for one that it lacks."""
        return self.parts[name] / SCALE

    def __add__(self, other: Sums) -> Sums:
        """Return both together. Raises `ValueError` where arrays of one name differ in shape."""
        return self._with(other, 1)

    def __sub__(self, other: Sums) -> Sums:
        """Return what is left without the other. Raises `ValueError` as addition does."""
        return self._with(other, -1)

    def __eq__(self, other: object) -> bool:
        """Tell whether two hold the same: an array of zeros is as good as none."""
        if not isinstance(other, Sums):
            return NotImplemented
        return not any(part.any() for part in (self - other).parts.values())

    __hash__ = None  # type: ignore[assignment]  # arrays can be changed

    def _with(self, other: Sums, sign: int) -> Sums:
        parts = dict(self.parts)
        for name, part in other.parts.items():
            mine = parts.get(name)
            if mine is not None and mine.shape != part.shape:
                raise ValueError(f"the sums {name!r} have the shapes {mine.shape} and {part.shape}: they do not add up")
            parts[name] = sign * part if mine is None else mine + sign * part
        return Sums({name: part for name, part in parts.items() if part.any()})

    def to_bytes(self) -> bytes:
        """Return it as bytes: a line of JSON with names and shapes in order, then all numbers, compressed."""
        parts = sorted(self.parts.items())
        # There may be tens of thousands of them, each of a few numbers: an archive of as many files takes seconds.
        packed = zlib.compress(b"".join(part.astype("<i8").tobytes() for _, part in parts), 1)
        return json.dumps([[name, part.shape] for name, part in parts]).encode() + b"\n" + packed

    @classmethod
    def from_bytes(cls, raw: bytes) -> Sums:
        """Return what `to_bytes` returned. Raises `ValueError` for anything else."""
        header, _, packed = raw.partition(b"\n")
        try:
            shapes = [(str(name), tuple(int(side) for side in shape)) for name, shape in json.loads(header)]
            numbers = np.frombuffer(zlib.decompress(packed), "<i8").astype(np.int64)
            return cls(_cut(numbers, shapes))
        except (TypeError, ValueError, zlib.error) as error:
            raise ValueError(f"these bytes hold no sums: {error}") from error


def _cut(numbers: Integers, shapes: Sequence[tuple[str, tuple[int, ...]]]) -> dict[str, Integers]:
    """Return arrays of these names and shapes. Raises `ValueError` where the numbers are too many or too few."""
    ends = np.cumsum([math.prod(shape) for _, shape in shapes], dtype=np.int64)
    *pieces, rest = np.split(numbers, ends)
    if rest.size:
        raise ValueError(f"{rest.size} numbers are left over")
    return {name: piece.reshape(shape) for (name, shape), piece in zip(shapes, pieces, strict=True)}


def _fixed(name: str, values: NDArray[np.float64]) -> Integers:
    if not (np.isfinite(values).all() and (np.abs(values) < 2.0**62 / SCALE).all()):
        raise ValueError(f"the sums {name!r} hold a number that is not finite, or too large for a sum")
    return np.rint(values * SCALE).astype(np.int64)
