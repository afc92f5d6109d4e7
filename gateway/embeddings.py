"""Vectors of many texts: each text once, in batches, and never twice by the same encoder."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gateway.embedding_cache import EmbeddingCache, default_folder
from gateway.engines.engine import EngineError
from gateway.signals.encoder import open_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.engines.engine import Engine
    from gateway.signals.encoder import Encoder
    from routers.types import FloatArray

#: Texts that are embedded, and kept, at once.
BATCH = 128
#: An encoder takes one caller at a time, and a worker may have several threads.
_ENCODING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Shard:
    """Texts to embed in another process, and the encoder to do it with: its name, and the digest it must have."""

    encoder: str
    digest: str
    texts: tuple[str, ...]


def open_cache(environment: Mapping[str, str]) -> EmbeddingCache:
    """Return the cache of who runs this, in `default_folder`."""
    return EmbeddingCache(default_folder(environment))


def embed_all(
    texts: Sequence[str],
    encoder: Encoder,
    cache: EmbeddingCache | None = None,
    progress: Callable[[int, int], None] | None = None,
    engine: Engine | None = None,
) -> FloatArray:
    """Return unit vectors `[n, d]`, a row a text; what the cache has is taken from it, and the rest is put there.

    `progress` is called with how many texts have been embedded and how many there are to embed. With an `engine`
    its workers embed, each with an encoder of the same name. Raises `CacheError` and `EngineError`.
    """
    unique = list(dict.fromkeys(texts))
    vectors = np.empty((len(unique), encoder.dimension), np.float32)
    missing = cache.fill(vectors, unique, encoder.digest) if cache else list(range(len(unique)))
    batches = [missing[n : n + BATCH] for n in range(0, len(missing), BATCH)]
    shards = [Shard(encoder.name, encoder.digest, tuple(unique[row] for row in batch)) for batch in batches]
    done = 0

    def keep(number: int, found: FloatArray) -> None:
        nonlocal done
        vectors[batches[number]] = found
        if cache:
            cache.add(shards[number].texts, encoder.digest, found)
        done += len(found)
        if progress:
            progress(done, len(missing))

    if engine:
        engine.map(encode_shard, shards, keep)
    else:
        for number, shard in enumerate(shards):
            keep(number, encoder.encode(shard.texts))
    return _spread(vectors, unique, texts)


def encode_shard(shard: Shard) -> FloatArray:
    """Return the vectors `[n, d]` of a shard's texts, by an encoder that this process opens once.

    Raises `EncoderError` where it cannot be had here, and `EngineError` where it is another one.
    """
    with _ENCODING:
        encoder = _opened(shard.encoder)
        if encoder.digest != shard.digest:
            raise EngineError(
                f"the encoder {shard.encoder!r} has the digest {encoder.digest[:12]} on a worker and "
                f"{shard.digest[:12]} here; install the same versions on both"
            )
        return encoder.encode(shard.texts)


@lru_cache(maxsize=1)
def _opened(name: str) -> Encoder:
    return open_encoder(name)


def _spread(vectors: FloatArray, unique: Sequence[str], texts: Sequence[str]) -> FloatArray:
    """Return a row for each text, also where one occurs again."""
    if len(unique) == len(texts):
        return vectors
    rows = {text: row for row, text in enumerate(unique)}
    return vectors[[rows[text] for text in texts]]
