"""The built-in encoder for a tenth of a millisecond: a vector for each token, averaged."""

from __future__ import annotations

import hashlib
import io
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from gateway.signals.encoder import verified

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

    from numpy.typing import NDArray

VECTORS_SHA256 = "877b2d230435ddab82e52ae2b3ea53bcad04ec93724c70a8150a631db371e9f3"
TOKENIZER_SHA256 = "00550fd9a41633f56f54480a77be0e356a18c93ae1f70f9ebd7fb0eae99cf596"
FORMAT, WIDTH = 1, 256
#: Of a longer text, half of this from its beginning and half from its end: a question often comes last.
MAX_CHARACTERS = 4096
#: The token of what is not in the vocabulary.
UNKNOWN = 100


class StaticEncoder:
    """Vectors of tokens, distilled from all-MiniLM-L6-v2 and averaged: word order does not count.

    What is not in the vocabulary is left out; a text without anything else has the vector of an unknown token.
    `folder` holds `vectors.npz`, `tokenizer` is a file, that of `minilm` unless it is given. Raises `EncoderError`
    where a file is missing, or is not the one that this version was made with.
    """

    name = "static"
    dimension = WIDTH
    max_tokens = 1024
    digest = hashlib.sha256(f"{VECTORS_SHA256} {TOKENIZER_SHA256} {MAX_CHARACTERS} {max_tokens}".encode()).hexdigest()

    def __init__(self, *, folder: Traversable | None = None, tokenizer: Traversable | None = None) -> None:
        tokenizer = tokenizer or files("gateway.signals.minilm") / "tokenizer.json"
        self._tokenizer = Tokenizer.from_str(verified(tokenizer, TOKENIZER_SHA256).decode())
        self._tokenizer.no_truncation()
        content = verified((folder or files("gateway.signals.static")) / "vectors.npz", VECTORS_SHA256)
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            self._vectors: NDArray[np.int8] = stored["vectors"]
            self._scales: NDArray[np.float32] = stored["scales"]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors `[n, 256]`, a row a text."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._mean(self._tokens(text))
        return vectors

    def _tokens(self, text: str) -> list[int]:
        tokens = self._tokenizer.encode(_ends(text), add_special_tokens=False).ids
        known = [token for token in tokens if token != UNKNOWN]
        if len(known) > self.max_tokens:
            half = self.max_tokens // 2
            known = known[:half] + known[-half:]
        return known or [UNKNOWN]

    def _mean(self, tokens: list[int]) -> NDArray[np.float32]:
        """Return the direction of the tokens' mean, which is that of their sum."""
        total = self._scales[tokens] @ self._vectors[tokens].astype(np.float32)
        return np.asarray(total / np.sqrt(total @ total), np.float32)


def _ends(text: str) -> str:
    """Return as much of a text as is read, without what UTF-8 cannot express."""
    if len(text) > MAX_CHARACTERS:
        half = MAX_CHARACTERS // 2
        text = f"{text[:half]} {text[-half:]}"
    return text.encode(errors="ignore").decode()
