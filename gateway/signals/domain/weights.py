"""The fitted weights that ship with the signal `domain`."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.domain.examples import DomainError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from numpy.typing import NDArray

    from routers.types import FloatArray

FORMAT = 1
SHA256 = "e017ad6afe9e3c14f45d227381abd129b44a3f272a7d024f0fddcf0bd4f71bc1"
#: The built-in encoder's dimension: the weights belong to it.
DIMENSION = 384
#: A text and, in the weights, its vector: they tell whether an encoder is the one that the weights belong to.
PROBE = "the quick brown fox jumps over the lazy dog"


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learned once, from public data; see README.md.

    `metric` `[384, 384]` turns an embedding to one in which topics count for more. `background` `[b, 384]` are unit
    vectors of general questions. `words` `[30522, 64]` holds a vector for each piece of a word, already weighted
    by how rare it is. `probe` is the vector of `PROBE`.
    """

    metric: FloatArray
    background: FloatArray
    words: FloatArray
    probe: FloatArray


@cache
def shipped_weights() -> Weights:
    """Return the weights that ship; read once. Raises `DomainError` where the file is missing or damaged."""
    return read_weights(files("gateway.signals.domain") / "weights.npz", SHA256)


def read_weights(file: Traversable, sha256: str) -> Weights:
    """Return the weights of a file. Raises `DomainError` where it is missing, damaged or of another format."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DomainError(f"the weights {file.name} cannot be read: {error}; install pointsman again") from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise DomainError(f"the weights {file.name} are damaged: sha256 {found}, not {sha256}; install pointsman again")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        if (version := int(arrays["format"])) != FORMAT:
            raise DomainError(f"the weights {file.name} have format {version}, not {FORMAT}; install pointsman again")
        return Weights(
            metric=np.eye(DIMENSION, dtype=np.float32) + arrays["metric"].astype(np.float32),
            background=arrays["background"].astype(np.float32),
            words=_rare(arrays["words"].astype(np.float32) * arrays["scale"].astype(np.float32)),
            probe=arrays["probe"].astype(np.float32),
        )


def _rare(words: NDArray[np.float32]) -> FloatArray:
    """Weight words by rarity: smooth inverse frequency (Arora et al. 2017), the frequency by Zipf's law from rank.

    The vocabulary is sorted by frequency from the 1,996th piece on; what comes before are characters and marks.
    """
    rank = np.maximum(np.arange(len(words)) - 1995, 1)
    frequency = 1 / (rank + 2.7)
    frequency /= frequency.sum()
    return np.asarray(words * (1e-4 / (1e-4 + frequency))[:, None], np.float32)
