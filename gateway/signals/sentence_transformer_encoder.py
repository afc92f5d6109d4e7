"""Any encoder that sentence-transformers can load. Importing this module needs the extra of that name."""

from __future__ import annotations

import hashlib
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from sentence_transformers import SentenceTransformer

from gateway.signals.encoder import EncoderError, legible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_BATCH = 32
#: What is read by an encoder that has no limit of its own.
UNLIMITED_TOKENS = 8192


class SentenceTransformerEncoder:
    """A sentence-transformers model, by its name or its folder.

    `threads` holds for all that torch does in the process. Raises `EncoderError` where it cannot be loaded.
    """

    def __init__(self, name: str, *, threads: int = 1) -> None:
        # By name, because a plain installation has no torch for the type checker to read.
        import_module("torch").set_num_threads(threads)
        try:
            self._model = SentenceTransformer(name)
        except (OSError, ValueError) as error:
            raise EncoderError(
                f"the encoder {name!r} cannot be loaded: {error}; give the name of a sentence-transformers model "
                "or the folder of one, or use the encoder 'minilm', which is built in"
            ) from error
        self.name = name
        self.max_tokens = int(self._model.max_seq_length or UNLIMITED_TOKENS)
        self.dimension = len(self._encode([""])[0])
        self.digest = _digest(self._model)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors `[n, dimension]`, a row a text."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        return self._encode([legible(text, self.max_tokens) for text in texts])

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        vectors = self._model.encode(
            texts, batch_size=MAX_BATCH, show_progress_bar=False, convert_to_numpy=True, normalize_embeddings=True
        )
        return np.asarray(vectors, np.float32)


def _digest(model: SentenceTransformer) -> str:
    """Return a sha256 of weights, vocabulary and the settings of each module.

    A version of the library that describes a model otherwise gives it another digest: then routers must be
    fitted again.
    """
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        digest.update(tensor.detach().cpu().float().numpy().tobytes())
    modules: list[Any] = [[type(module).__name__, getattr(module, "get_config_dict", dict)()] for module in model]
    vocabulary: dict[str, int] = getattr(model.tokenizer, "get_vocab", dict)()
    settings = [model.max_seq_length, model.default_prompt_name, model.prompts, *modules, vocabulary]
    digest.update(json.dumps(settings, sort_keys=True, default=str).encode())
    return digest.hexdigest()
