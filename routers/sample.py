"""A sample of the rows learned, to compare a request with."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from routers.rows import rounded_units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from routers.types import FloatArray, Outcomes


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows drawn evenly from all that came: those whose embeddings hash lowest, whatever their order and batches.

    `embeddings` `[n, d]` are unit vectors rounded to half precision, `tasks` `[n]` are empty where there is none,
    `ranks` `[n]` are the hashes, ascending. Rows without an embedding are left out.

    Bottom-k sampling: Cohen and Kaplan, "Summarizing data using bottom-k sketches"
    (https://doi.org/10.1145/1281100.1281133).
    """

    embeddings: FloatArray
    tasks: NDArray[np.str_]
    ranks: NDArray[np.uint64]

    @classmethod
    def empty(cls) -> Sample:
        """Return no rows."""
        return cls(np.zeros((0, 0), np.float32), np.zeros(0, np.str_), np.zeros(0, np.uint64))

    def plus(self, outcomes: Outcomes, size: int) -> Sample:
        """Return the sample of these rows and those of `outcomes`, of at most `size`."""
        units = rounded_units(outcomes.embeddings)
        told = np.flatnonzero(units.any(axis=1))
        tasks = np.array(outcomes.tasks or [""] * outcomes.n, np.str_)[told]
        ranks = np.array([_rank(row) for row in units[told]], np.uint64)
        embeddings = np.concatenate([self.embeddings, units[told]]) if len(self.ranks) else units[told]
        both = np.concatenate([self.ranks, ranks])
        kept = np.argsort(both, kind="stable")[:size]
        return Sample(embeddings[kept], np.concatenate([self.tasks, tasks])[kept], both[kept])

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows; their ranks follow from them."""
        return {"embeddings": self.embeddings.astype(np.float16), "tasks": self.tasks}

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]]) -> Sample:
        """Return what `state` returned. Raises `KeyError`."""
        embeddings = state["embeddings"].astype(np.float32)
        ranks = np.array([_rank(row) for row in embeddings], np.uint64)
        return cls(embeddings, state["tasks"].astype(np.str_), ranks)


def _rank(row: FloatArray) -> int:
    return int.from_bytes(blake2b(row.astype(np.float16).tobytes(), digest_size=8).digest())
