"""The fitted numbers of the difficulty model, and how they are read from the file that ships."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from numpy.typing import NDArray

    from routers.types import FloatArray

#: The format of the file; another one is refused.
FORMAT = 1
SHA256 = "a0bfbab2b0aaaf781939df2f02c31d994bab259e3e7a3717e0fb40ec327debbc"


class DifficultyError(Exception):
    """The fitted weights cannot be had; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Network:
    """Small networks side by side: `members` of one hidden layer each, two outputs (difficulty, reasoning).

    `hidden` is `[inputs, members * width]`, `hidden_bias` `[members * width]`, `output` `[2, members, width]`,
    `output_bias` `[2, members]`; `error` are the coefficients of the absolute error to expect `[2, 5]`.
    """

    hidden: FloatArray
    hidden_bias: FloatArray
    output: FloatArray
    output_bias: FloatArray
    error: FloatArray


@dataclass(frozen=True, slots=True)
class Weights:
    """All that is fitted.

    `mean` and `scale` standardise the features; `topics` `[t, 384]` spans the directions taken out of an embedding;
    `centres` `[c, 384]` are where training embeddings lie; `distances` and `strangeness` are the two bounds between
    which a distance to the nearest centre, or a mean square of features, goes from familiar to unknown.
    """

    ranks: Mapping[str, float]
    mean: FloatArray
    scale: FloatArray
    topics: FloatArray
    centres: FloatArray
    distances: FloatArray
    strangeness: FloatArray
    plain: Network
    embedded: Network


def read_weights(file: Traversable, sha256: str = SHA256) -> Weights:
    """Return what the file holds. Raises `DifficultyError` where it is missing, damaged or of another format."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DifficultyError(f"{file.name} cannot be read: {error}; install pointsman again") from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise DifficultyError(f"{file.name} is damaged: its sha256 is {found}, not {sha256}; install pointsman again")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    if (version := int(arrays["format"])) != FORMAT:
        raise DifficultyError(f"{file.name} has format {version}, not {FORMAT}; install pointsman again")
    return _weights(arrays)


def _weights(arrays: Mapping[str, NDArray[np.generic]]) -> Weights:
    words = arrays["words"].tobytes().decode().split("\n")
    plain = {name: np.asarray(array, np.float32) for name, array in arrays.items() if array.dtype.kind == "f"}
    return Weights(
        ranks={word: log(rank) for rank, word in enumerate(words, 1)},
        mean=plain["mean"],
        scale=plain["scale"],
        topics=plain["topics"],
        centres=plain["centres"],
        distances=plain["distances"],
        strangeness=plain["strangeness"],
        plain=_network(plain, "plain"),
        embedded=_network(plain, "embedded"),
    )


def _network(arrays: Mapping[str, FloatArray], name: str) -> Network:
    parts = ("hidden", "hidden_bias", "output", "output_bias", "error")
    return Network(**{part: arrays[f"{name}.{part}"] for part in parts})
