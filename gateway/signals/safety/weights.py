"""The fitted weights of the safety classifier, and the file that they are kept in."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.safety.features import BITS

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from numpy.typing import NDArray

#: The format of the file. Another number is refused.
VERSION = 1
FILE = "weights.npz"


class SafetyWeightsError(Exception):
    """The weights are missing, damaged, or of another format; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What was fitted. `D` is the number of buckets, `r` of pieces of evidence, `e` of an embedding's dimensions.

    `windows` `[2, D]` and `window_intercepts` `[2]` give a window's logits: of an attack, of a harmful request.
    `evidence` `[r]` and `intercept` `[1]` give the text's logit of an attack; `harmful` `[2]` the slope and
    intercept of a harmful request's. `embedding` `[e]`, `blend` `[3]` (of the text's logit, of the embedding's,
    intercept) are for when there is an embedding. `known` `[D / 8]` are bits: which words were seen; `unseen` `[2]`
    the shares of unseen words at which a text begins to be, and wholly is, out of distribution.
    """

    windows: NDArray[np.floating]
    window_intercepts: NDArray[np.float32]
    evidence: NDArray[np.float32]
    intercept: NDArray[np.float32]
    harmful: NDArray[np.float32]
    embedding: NDArray[np.float32]
    blend: NDArray[np.float32]
    known: NDArray[np.uint8]
    unseen: NDArray[np.float32]

    def save(self, path: Path) -> str:
        """Write them to a file, and return the digest that it holds."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        digest = _digest(arrays)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, version=np.array(VERSION), digest=np.array(digest), **arrays)
        path.write_bytes(buffer.getvalue())
        return digest


def load_weights(file: Traversable | None = None) -> Weights:
    """Read the weights that ship with the package, or those of a file. Raises `SafetyWeightsError`."""
    file = file or files("gateway.signals.safety") / FILE
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            version, digest = int(archive["version"]), str(archive["digest"])
            arrays = {field.name: archive[field.name] for field in fields(Weights)}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise SafetyWeightsError(
            f"{file} cannot be read as safety weights: {error}; install pointsman again"
        ) from error
    if version != VERSION or arrays["windows"].shape != (2, 1 << BITS):
        raise SafetyWeightsError(f"{file} is of format {version}, not {VERSION}; build it again with build_safety.py")
    if (found := _digest(arrays)) != digest:
        raise SafetyWeightsError(f"{file} is damaged: its digest is {found}, not {digest}; install pointsman again")
    return Weights(**arrays)


def _digest(arrays: dict[str, NDArray[np.generic]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
