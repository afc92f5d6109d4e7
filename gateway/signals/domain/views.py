"""The views of a text that classes are told apart by: its embedding, its topic, and its words."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from gateway.signals.domain.examples import DomainError
from gateway.signals.domain.weights import DIMENSION, Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import FloatArray

TOKENIZER_SHA256 = "00550fd9a41633f56f54480a77be0e356a18c93ae1f70f9ebd7fb0eae99cf596"
#: A text's words are read from as many characters at its head and again at its tail.
CHARACTERS = 256
#: The parts of the three views in the similarity of two texts; they sum to one.
EMBEDDING_PART, TOPIC_PART, WORDS_PART = 0.455, 0.195, 0.35


class Views:
    """Turns an embedding and its text into one vector, whose scalar product with another is their similarity."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._tokenizer = _tokenizer()

    def vectors(self, embeddings: FloatArray, texts: Sequence[str]) -> FloatArray:
        """Return the views `[n, 832]` of unit vectors `[n, 384]` and their texts; rows have length 1 at most."""
        words = np.stack([self._words(text) for text in texts])
        views = embeddings, _unit(embeddings @ self._weights.metric), words
        parts = np.sqrt(np.array([EMBEDDING_PART, TOPIC_PART, WORDS_PART], np.float32))
        return np.asarray(np.hstack([view * part for view, part in zip(views, parts, strict=True)]), np.float32)

    def _words(self, text: str) -> FloatArray:
        pieces = self._tokenizer.encode(bounded(text), add_special_tokens=False).ids
        total = self._weights.words[pieces].sum(axis=0, keepdims=True)
        return np.asarray(_unit(total)[0], np.float32)


def bounded(text: str) -> str:
    """Return head and tail of a text, `CHARACTERS` each, without what UTF-8 cannot express."""
    if len(text) > 2 * CHARACTERS:
        text = f"{text[:CHARACTERS]} {text[-CHARACTERS:]}"
    return text.encode(errors="ignore").decode()


def unit_embeddings(vectors: FloatArray) -> FloatArray:
    """Return vectors `[n, 384]` as 32-bit floats. Raises `DomainError` for another dimension."""
    if vectors.ndim != 2 or vectors.shape[1] != DIMENSION:
        raise DomainError(
            f"the signal 'domain' needs vectors of {DIMENSION} dimensions, not {vectors.shape[-1]}: "
            "use the encoder 'minilm'"
        )
    return np.asarray(vectors, np.float32)


def _unit(rows: FloatArray) -> FloatArray:
    """Return rows of length 1; one of zeros stays as it is."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), np.float32)


@cache
def _tokenizer() -> Tokenizer:
    content = (files("gateway.signals.minilm") / "tokenizer.json").read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != TOKENIZER_SHA256:
        raise DomainError(f"tokenizer.json is damaged: sha256 {found}, not {TOKENIZER_SHA256}; install pointsman again")
    tokenizer = Tokenizer.from_str(content.decode())
    tokenizer.no_truncation()
    return tokenizer
