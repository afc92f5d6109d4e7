"""Embeds texts that come again and again, such as the examples of domains: each is encoded once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.signals.encoder import Encoder
    from routers.types import FloatArray

#: Texts that are remembered; of more, all are forgotten, and those that come next are encoded anew.
MAX_TEXTS = 20_000


class Recall:
    """A memory of embeddings, for texts that are embedded whenever a configuration is read.

    `encode` returns unit vectors, a row a text. It may be called from any thread, and so may this.
    """

    def __init__(self, encoder: Encoder, encode: Callable[[Sequence[str]], FloatArray]) -> None:
        self.encoder = encoder
        self._encode = encode
        self._known: dict[str, FloatArray] = {}
        self._lock = threading.Lock()

    def learn(self, texts: Sequence[str], vectors: FloatArray) -> None:
        """Take in vectors `[n, dimension]` that were computed before, by the same encoder."""
        with self._lock:
            self._keep(texts, vectors)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Return unit vectors `[n, dimension]`, a row a text. Not for an event loop."""
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._known]
            vectors = self._encode(new) if new else np.empty((0, self.encoder.dimension), np.float32)
            known = {**self._known, **dict(zip(new, vectors, strict=True))}
            self._keep(new, vectors)
        return np.stack([known[text] for text in texts])

    def _keep(self, texts: Sequence[str], vectors: FloatArray) -> None:
        if len(self._known) + len(texts) > MAX_TEXTS:
            self._known.clear()
        self._known |= dict(zip(texts, vectors, strict=True))
