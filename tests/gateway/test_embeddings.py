import numpy as np
import pytest

from gateway.embedding_cache import EmbeddingCache
from gateway.embeddings import BATCH, Shard, embed_all, encode_shard
from gateway.engines.engine import EngineError
from gateway.engines.local import Serial
from gateway.signals.encoder import open_encoder


class Counting:
    """An encoder whose vectors tell how often it was asked, and for what."""

    name = "counting"
    dimension = 2
    max_tokens = 9
    digest = "c"

    def __init__(self) -> None:
        self.asked = []

    def encode(self, texts):
        self.asked.append(list(texts))
        return np.array([[len(text), len(self.asked)] for text in texts], np.float32).reshape(len(texts), 2)


def test_each_text_is_encoded_once():
    """However often it occurs."""
    encoder = Counting()

    vectors = embed_all(["a", "bb", "a", "ccc", "bb"], encoder)

    assert [["a", "bb", "ccc"]] == encoder.asked
    np.testing.assert_array_equal([[1, 1], [2, 1], [1, 1], [3, 1], [2, 1]], vectors)


def test_what_is_cached_is_not_encoded_again(tmp_path):
    """Only what is new is."""
    cache, encoder = EmbeddingCache(tmp_path), Counting()
    first = embed_all(["a", "bb"], encoder, cache)

    second = embed_all(["ccc", "bb", "a"], encoder, cache)

    assert [["a", "bb"], ["ccc"]] == encoder.asked
    np.testing.assert_array_equal(first[::-1], second[1:])
    np.testing.assert_array_equal([3, 2], second[0])


def test_a_run_that_was_broken_off_goes_on(tmp_path):
    """Every batch is kept as soon as it is there."""
    texts = [str(n) for n in range(2 * BATCH)]

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_all(texts, Counting(), EmbeddingCache(tmp_path), stop)

    encoder = Counting()
    embed_all(texts, encoder, EmbeddingCache(tmp_path))
    assert [texts[BATCH:]] == encoder.asked


def test_progress_counts_what_is_to_do(tmp_path):
    """Different texts that are not cached; nothing is said where there are none."""
    cache, said = EmbeddingCache(tmp_path), []
    embed_all(["1"], Counting(), cache)
    texts = [str(n) for n in range(BATCH + 3)] * 2

    embed_all(texts, Counting(), cache, lambda *counts: said.append(counts))
    embed_all(texts, Counting(), cache, lambda *counts: said.append(counts))

    assert [(BATCH, BATCH + 2), (BATCH + 2, BATCH + 2)] == said


def test_no_text_has_no_vectors():
    """The dimension is there all the same."""
    assert (0, 2) == embed_all([], Counting()).shape


def test_an_engine_makes_the_same_vectors(tmp_path):
    """It opens the encoder by its name, and what it made is kept."""
    encoder, texts = open_encoder("minilm"), [f"text {n}" for n in range(BATCH + 5)]
    said = []

    vectors = embed_all(texts, encoder, EmbeddingCache(tmp_path), lambda *counts: said.append(counts), Serial())

    np.testing.assert_array_equal(encoder.encode(texts), vectors)
    assert [(BATCH, BATCH + 5), (BATCH + 5, BATCH + 5)] == said
    np.testing.assert_array_equal(vectors, embed_all(texts, encoder, EmbeddingCache(tmp_path)))


def test_a_worker_with_another_encoder_is_refused():
    """Its vectors would not compare."""
    with pytest.raises(
        EngineError, match=r"'minilm' has the digest \w{12} on a worker and other here; install the same"
    ):
        encode_shard(Shard("minilm", "other", ("a",)))
