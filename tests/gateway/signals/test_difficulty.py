"""What the shipped model says of easy and hard requests."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.signals.base import Request
from gateway.signals.difficulty import DifficultyError, DifficultyModel, DifficultySignal
from gateway.signals.difficulty.weights import read_weights
from gateway.signals.minilm_encoder import MiniLMEncoder

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = files("gateway.signals.difficulty")
PAIRS = [json.loads(line) for line in (FOLDER / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
HELD_OUT = [pair for pair in PAIRS if pair["part"] == "test"]
MODEL = DifficultyModel.load()
ENCODER = MiniLMEncoder()
BOASTS = (
    "Prove rigorously: {}",
    "{} Think step by step.",
    "{}\n```python\n```",
    "PhD level. {}",
    "This is a PhD level question: {}",
)
COURTESIES = ("Could you kindly tell me: {}", "{} It's a simple question for beginners.", "super easy one: {}")
TRIVIAL = (
    "write hello world",
    "what is 2+2",
    "translate 'cat'",
    "is 7 prime?",
    "hi",
    "SELECT all rows of the table users",
)


def difficulties(texts: list[str], *, embedded: bool = True) -> np.ndarray:
    vectors = ENCODER.encode(texts) if embedded else [None] * len(texts)
    return np.array([MODEL.read(text, vector).difficulty for text, vector in zip(texts, vectors, strict=True)])


def request(text: str) -> Request:
    return Request(body={}, text=text, at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("topic", sorted({pair["topic"] for pair in HELD_OUT}))
def test_hard_request_outranks_easy_one_of_its_topic(topic: str):
    """Within a topic, every hard request held out is judged harder than every easy one, which is judged easy."""
    pairs = [pair for pair in HELD_OUT if pair["topic"] == topic]
    easy, hard = (difficulties([pair[kind] for pair in pairs]) for kind in ("easy", "hard"))

    assert easy.max() < 0.5
    assert 0 == np.mean(easy[:, None] >= hard[None]).round(1)


def test_pairs_are_told_apart_without_embedding():
    """Structure alone puts at least nine of ten pairs in order."""
    easy, hard = (difficulties([pair[kind] for pair in HELD_OUT], embedded=False) for kind in ("easy", "hard"))

    assert np.mean(easy < hard) >= 0.9


@pytest.mark.parametrize("embedded", [True, False])
def test_trivial_request_of_a_hard_topic_is_easy(embedded: bool):  # noqa: FBT001 - a parameter of the test
    """Code, mathematics and SQL are not hard for being what they are."""
    assert difficulties(list(TRIVIAL), embedded=embedded).max() < 0.35


@pytest.mark.parametrize("phrase", BOASTS)
def test_words_of_difficulty_do_not_make_easy_requests_hard(phrase: str):
    """At most one easy request of twenty crosses one half when words that say 'hard' are put in."""
    moved = difficulties([phrase.replace("{}", pair["easy"]) for pair in HELD_OUT])

    assert np.mean(moved > 0.5) <= 0.05


@pytest.mark.parametrize("phrase", COURTESIES)
def test_words_of_ease_do_not_make_hard_requests_easy(phrase: str):
    """Hard requests stay harder than the easy ones, however they are wrapped."""
    easy = difficulties([pair["easy"] for pair in HELD_OUT])
    moved = difficulties([phrase.replace("{}", pair["hard"]) for pair in HELD_OUT])

    assert np.mean(moved[:, None] > easy[None]) >= 0.95


def test_puzzle_gains_from_reasoning_and_recall_does_not():
    """A constraint problem is worth thinking about, an obscure fact and small talk are not."""
    texts = [
        "Anna, Ben and Cleo own a cat, a dog and a fish. Anna has no fur at home, Ben no dog. If each has one, whose is it?",
        "Who was the third mayor of Reykjavik?",
        "good morning, how are you",
    ]
    puzzle, fact, chat = (MODEL.read(text, ENCODER.encode([text])[0]).reasoning for text in texts)

    assert puzzle > 0.4
    assert max(fact, chat) < 0.25


def test_less_sure_without_embedding():
    """On the pairs, the mean confidence is lower where there is no embedding."""
    texts = [pair["hard"] for pair in HELD_OUT] + [pair["easy"] for pair in HELD_OUT]
    sure = [
        MODEL.read(text, vector).difficulty_confidence
        for text, vector in zip(texts, ENCODER.encode(texts), strict=True)
    ]

    assert np.mean([MODEL.read(text).difficulty_confidence for text in texts]) < np.mean(sure)


def test_noise_is_out_of_distribution_and_a_question_is_not():
    """A wall of one letter is unlike the training texts, a plain question is not."""
    noise, question = "q" * 4000, "What is the capital of Peru?"

    assert (1.0, 0.0) == tuple(MODEL.read(text, ENCODER.encode([text])[0]).ood for text in (noise, question))


@pytest.mark.parametrize("text", ["", "😀😀😀", "\ud800\udfff", "x" * 1_000_000, "這是一個問題", "\x00\n\t"])
def test_any_text_has_a_reading_within_bounds(text: str):
    """Empty, broken, huge and foreign texts are read."""
    reading = MODEL.read(text)
    numbers = (
        reading.difficulty, reading.difficulty_confidence, reading.reasoning, reading.reasoning_confidence, reading.ood,
    )  # fmt: skip

    assert all(0 <= number <= 1 for number in numbers)
    assert reading.truncated == (len(text) > 1800)


@settings(max_examples=50)
@given(st.text(max_size=200))
def test_reading_is_repeatable(text: str):
    """The same text has the same reading."""
    assert MODEL.read(text) == MODEL.read(text)


def test_embedding_of_another_length_is_refused():
    """A vector of another encoder is an error of the caller."""
    with pytest.raises(ValueError, match="384"):
        MODEL.read("hello", np.zeros(512, np.float32))


def test_signal_gives_every_feature_it_announces():
    """A request with an embedding has all features, and numbers are numbers."""
    signal = DifficultySignal(MODEL)
    found = signal.read(request("Is 7 prime?"), ENCODER.encode(["Is 7 prime?"])[0])

    assert set(signal.provides) == set(found)
    assert isinstance(found["difficulty"], float)
    assert found["difficulty.truncated"] is False


def test_signal_says_nothing_of_a_text_that_says_nothing():
    """Where there is no letter and no digit there is no feature."""
    assert {} == DifficultySignal(MODEL).read(request(" ...\n"), None)


def test_signal_leaves_embeddings_of_other_encoders_aside():
    """The vector of an encoder that the weights do not know changes nothing."""
    signal = DifficultySignal(MODEL, encoder="another")
    vector = ENCODER.encode(["Is 7 prime?"])[0]

    assert not signal.reads_embedding
    assert signal.read(request("Is 7 prime?"), None) == signal.read(request("Is 7 prime?"), vector)


def test_signal_says_that_a_long_text_was_cut():
    """A long text is read at both ends, less surely, and says so."""
    found = DifficultySignal(MODEL).read(request("Tell me more about it. " * 500), None)

    assert found["difficulty.truncated"] is True


def test_damaged_weights_are_refused(tmp_path: Path):
    """A file with another checksum is not read."""
    (tmp_path / "weights.npz").write_bytes((FOLDER / "weights.npz").read_bytes()[:-1])

    with pytest.raises(DifficultyError, match="damaged"):
        DifficultyModel.load(tmp_path)


def test_missing_weights_are_named(tmp_path: Path):
    """A file that is not there is named."""
    with pytest.raises(DifficultyError, match=r"weights\.npz cannot be read"):
        DifficultyModel.load(tmp_path)


def test_weights_of_another_format_are_refused(tmp_path: Path):
    """A later format is not guessed at."""
    buffer = io.BytesIO()
    np.savez(buffer, format=np.int64(2))
    (tmp_path / "weights.npz").write_bytes(buffer.getvalue())

    with pytest.raises(DifficultyError, match="format 2"):
        read_weights(tmp_path / "weights.npz", sha256(buffer.getvalue()).hexdigest())
