"""The built-in encoder: all-MiniLM-L6-v2 by onnxruntime, from files of the package."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from gateway.signals.encoder import legible, verified
from gateway.signals.onnx import onnxruntime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.resources.abc import Traversable

    from numpy.typing import NDArray

MODEL_SHA256 = "003a3cc7adcccb51dfff6e500331225a36b0cb5173435b42c490947ea15c8337"
TOKENIZER_SHA256 = "00550fd9a41633f56f54480a77be0e356a18c93ae1f70f9ebd7fb0eae99cf596"
MAX_BATCH = 32
#: Padding included. The runtime keeps the memory that its largest batch took.
MAX_BATCH_TOKENS = 2048


class MiniLMEncoder:
    """all-MiniLM-L6-v2. `threads` is how many onnxruntime may use; `folder` holds its two files.

    Its arithmetic is in 32 bits, so that a vector depends neither on the rest of its batch nor on the
    processor. Raises `EncoderError` where a file is missing, or is not the one that this version was made with.
    """

    name = "minilm"
    dimension = 384
    max_tokens = 256
    digest = hashlib.sha256(f"{MODEL_SHA256} {TOKENIZER_SHA256}".encode()).hexdigest()

    def __init__(self, *, threads: int = 1, folder: Traversable | None = None) -> None:
        folder = folder or files("gateway.signals.minilm")
        # The tokeniser's file says where it truncates.
        self._tokenizer = Tokenizer.from_str(verified(folder / "tokenizer.json", TOKENIZER_SHA256).decode())
        self._session = onnxruntime.InferenceSession(
            verified(folder / "model.onnx", MODEL_SHA256), _options(threads), providers=["CPUExecutionProvider"]
        )

    def read(self, text: str) -> str:
        """Return as much of a text as its tokens can cover."""
        return legible(text, self.max_tokens)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors `[n, 384]`, a row a text."""
        read = [self.read(text) for text in texts]
        # In a batch, because only then other threads may run Python meanwhile: 8,192 characters take 2.5 ms.
        tokens = [found.ids for found in self._tokenizer.encode_batch_fast(read)]
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for rows in _batches([len(row) for row in tokens]):
            vectors[rows] = self._run([tokens[row] for row in rows])
        return vectors

    def _run(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        padded = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
        mask = np.zeros_like(padded)
        for row, values in enumerate(tokens):
            padded[row, : len(values)] = values
            mask[row, : len(values)] = 1
        (vectors,) = self._session.run(["vectors"], {"tokens": padded, "mask": mask})
        return np.asarray(vectors)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the indices of texts to run together: of similar length, and not too many."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if len(batch) == MAX_BATCH or (len(batch) + 1) * lengths[index] > MAX_BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _options(threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Widens the weights once, and runs the graph as it was written: beyond this level, versions differ.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
