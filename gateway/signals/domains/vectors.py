"""The vectors of the built-in examples, so that a gateway need not encode hundreds of texts when it starts."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import FloatArray

#: The file: `vectors` (16 bits) and `digest`, of the texts and of the encoder.
FILE = "vectors.npz"


def digest_of(texts: Sequence[str], encoder: str) -> str:
    """Identify texts and the digest of what encodes them."""
    return hashlib.sha256(json.dumps([encoder, *texts]).encode()).hexdigest()


def shipped_vectors(texts: Sequence[str], encoder: str) -> FloatArray | None:
    """Return unit vectors `[n, d]` of those texts by that encoder; None where others were shipped."""
    with as_file(files("gateway.signals.domains") / FILE) as path, np.load(path, allow_pickle=False) as stored:
        if str(stored["digest"]) != digest_of(texts, encoder):
            return None
        vectors: FloatArray = stored["vectors"].astype(np.float32)
    units: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units
