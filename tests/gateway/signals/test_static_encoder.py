import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from gateway.signals import static_encoder
from gateway.signals.encoder import EncoderError
from gateway.signals.minilm_encoder import MiniLMEncoder
from gateway.signals.static_encoder import MAX_CHARACTERS, StaticEncoder

SHIPPED = Path(static_encoder.__file__).with_name("static") / "vectors.npz"
TOKENIZER = SHIPPED.parents[1] / "minilm/tokenizer.json"
VARIED = [
    "",
    " \n\t ",
    "Hi!",
    "What is the capital of France?",
    "def f(x):\n    return {k: v for k, v in x.items() if v}\n" * 12,
    "¿Cuál es la capital de Francia? Столица Франции? 法国的首都是哪里",
    "😀👩‍👩‍👧 e\u0301\u0301\u0301 \u202e\u0000\ufffd",
    "the quick brown fox " * 400,
]
anything = st.text(st.characters(exclude_categories=()), max_size=300)


@pytest.fixture(scope="module")
def encoder():
    """Return the encoder that comes with the package."""
    return StaticEncoder()


def test_returns_a_unit_vector_for_each_text(encoder):
    """Rows are float32, of length one, in the order of the texts."""
    vectors = encoder.encode(VARIED)

    assert (len(VARIED), 256) == vectors.shape
    assert np.float32 == vectors.dtype
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (0, 256) == encoder.encode([]).shape


def test_puts_like_near_like(encoder):
    """Texts on one matter are nearer to each other than to others."""
    a, b, c = encoder.encode(
        ["How do I sort a python list?", "Ways to order python arrays", "The best pizza in Naples"]
    )

    assert a @ b > a @ c + 0.2


def test_ranks_neighbours_about_as_its_teacher_does(encoder):
    """Over pairs of texts, its similarities go with those of the encoder that it was distilled from."""
    subjects = [
        "tax law",
        "football",
        "calculus",
        "baking bread",
        "python code",
        "heart disease",
        "space flight",
        "jazz",
    ]
    forms = ["What should I know about {}?", "Write a short story on {}.", "Explain {} to a child."]
    texts = [form.format(subject) for subject in subjects for form in forms]
    pairs = np.triu_indices(len(texts), 1)

    ours, theirs = ((v @ v.T)[pairs] for v in (encoder.encode(texts), MiniLMEncoder().encode(texts)))

    assert np.corrcoef(ours, theirs)[0, 1] > 0.65


def test_gives_a_text_the_same_bytes_in_any_company_and_instance(encoder):
    """Neither the rest of its batch nor the instance changes a vector."""
    alone = np.concatenate([encoder.encode([text]) for text in VARIED])

    assert alone.tobytes() == StaticEncoder().encode(VARIED[::-1])[::-1].tobytes()


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(anything, max_size=4))
def test_takes_any_string(encoder, texts):
    """Lone surrogates, control characters and unassigned code points have unit vectors too."""
    norms = np.linalg.norm(encoder.encode(texts), axis=1)

    assert [pytest.approx(1, abs=1e-5)] * len(texts) == norms.tolist()


@pytest.mark.parametrize("text", ["", " \n", "\ud800", "😀", "😀 😀😀", "\u0000"])
def test_a_text_without_known_tokens_has_the_vector_of_the_unknown_token(encoder, text):
    """Nothing to average still has a direction, and it is always the same."""
    (unknown, known) = encoder.encode(["\U000323af", "dog"])

    (vector,) = encoder.encode([text])

    assert np.array_equal(unknown, vector)
    assert abs(vector @ known) < 0.9


def test_leaves_unknown_tokens_out(encoder):
    """An emoji among words changes nothing."""
    plain, decorated = encoder.encode(["good dog", "good 😀 dog"])

    assert np.array_equal(plain, decorated)


def test_ignores_word_order_but_not_words(encoder):
    """It is a mean of tokens: a permutation is the same text, another word is another text."""
    first, turned, other = encoder.encode(["dog bites man", "man bites dog", "dog bites mailman"])

    assert first @ turned == pytest.approx(1, abs=1e-6)
    assert first @ other < 0.99


def test_reads_both_ends_of_a_long_text(encoder):
    """What a text of megabytes says in its middle costs nothing and changes nothing; its ends count."""
    middle = "cat " * (MAX_CHARACTERS // 4)
    head, tail = "dog " * (MAX_CHARACTERS // 8), " bird" * (MAX_CHARACTERS // 10 + 1)

    first, longer, other_end = encoder.encode([head + middle + tail, head + middle * 3 + tail, head + middle])

    assert np.array_equal(first, longer)
    assert first @ other_end < 0.99


def test_reads_at_most_1024_tokens(encoder):
    """A text of one token a character is cut by tokens as well."""
    digits = ["1", "2", "3"]
    text = " ".join(digits * 600)

    ends = " ".join([*(digits * 600)[:512], *(digits * 600)[-512:]])

    assert 1024 == encoder.max_tokens
    assert np.array_equal(*encoder.encode([text, ends]))


def test_a_megabyte_costs_no_more_than_what_is_read(encoder):
    """The work is bounded, whatever comes."""
    text = "word " * 200_000

    started = time.process_time()
    encoder.encode([text] * 5)

    assert time.process_time() - started < 1


@pytest.mark.parametrize("change", ["damaged", "missing"])
def test_refuses_weights_that_are_not_its_own(tmp_path, change):
    """A damaged or missing file is an error that names it and says what to do."""
    if change == "damaged":
        content = SHIPPED.read_bytes()
        (tmp_path / SHIPPED.name).write_bytes(content[:-1] + b"?")

    with pytest.raises(EncoderError, match=r"vectors\.npz (is damaged|cannot be read): .*install pointsman again"):
        StaticEncoder(folder=tmp_path)


def test_refuses_another_tokenizer(tmp_path):
    """The tokeniser is checked as well."""
    other = tmp_path / "tokenizer.json"
    other.write_bytes(TOKENIZER.read_bytes() + b" ")

    with pytest.raises(EncoderError, match=r"tokenizer\.json is damaged"):
        StaticEncoder(tokenizer=other)


def test_is_told_apart_from_the_other_encoder():
    """Vectors of different encoders do not compare, which their digests say."""
    assert "static" == StaticEncoder.name
    assert StaticEncoder.digest != MiniLMEncoder.digest
    assert 64 == len(StaticEncoder.digest)


def test_needs_neither_torch_nor_onnxruntime():
    """Serving takes numpy and the tokeniser alone."""
    script = (
        "import sys; from gateway.signals.static_encoder import StaticEncoder; StaticEncoder().encode(['a']); "
        "print(sorted({'torch', 'onnxruntime', 'sklearn', 'scipy'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ}
    )

    assert "[]" == done.stdout.strip()


def test_ships_small_arrays_without_objects():
    """The file holds a format, a vector of 8 bits and a scale for each token, and nothing that runs code."""
    with np.load(SHIPPED, allow_pickle=False) as stored:
        shapes = {name: (stored[name].dtype.name, stored[name].shape) for name in stored.files}

    assert {"format": ("int64", ()), "vectors": ("int8", (30522, 256)), "scales": ("float32", (30522,))} == shapes
    assert SHIPPED.stat().st_size < 8_000_000


@cache
def tokeniser():
    """Return what is in the tokeniser's file."""
    opened = Tokenizer.from_file(str(TOKENIZER))
    opened.no_truncation()
    return opened


def said_by_the_tokeniser(text):
    """Return the tokens of a text in its file's own words, without what is unknown, in order of their numbers."""
    found = tokeniser().encode(text.encode(errors="ignore").decode(), add_special_tokens=False).ids
    return sorted(token for token in found if token != 100) or [100]


WORDS = st.sampled_from(["the", "Dog", "unbelievable", "x" * 101, "sha256:9f8e", "[CLS]", "[mask]", "can't", "naïve"])
GAPS = st.sampled_from([" ", "\n", "\t", "\r\n", "\x00", "\x0b", "\x1f", "\x7f", "\xa0", "\u3000", "\u200d", ".", "_"])


@settings(max_examples=300, deadline=None)
@given(text=st.lists(WORDS | GAPS | st.text(st.characters(exclude_categories=()), max_size=6)).map("".join))
def test_looks_up_what_the_tokeniser_would_say(encoder, text):
    """A look-up of whole words finds the same tokens, whatever separates them."""
    assert said_by_the_tokeniser(text) == sorted(encoder._tokens(text))


ASCII_WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=100)


@settings(max_examples=300, deadline=None)
@given(words=st.lists(ASCII_WORDS | st.integers(0, 2**100).map(str), min_size=1, max_size=4))
def test_takes_a_rare_word_apart_as_the_tokeniser_does(encoder, words):
    """Into the longest pieces there are, from its beginning, in the midst of words that are known."""
    text = " ".join([*words, *["the", "dog"] * len(words)])

    assert said_by_the_tokeniser(text) == sorted(encoder._tokens(text))


def test_a_text_of_nothing_but_rare_words_has_their_tokens(encoder):
    """It does not matter whether few words or many are none of the vocabulary."""
    rare = [f"zq{n}xv" for n in range(100)]

    for text in [" ".join(rare), " ".join([*rare, *["the"] * 150]), f"{' '.join(rare[:3])} the dog and the cat"]:
        assert said_by_the_tokeniser(text) == sorted(encoder._tokens(text))


@pytest.mark.parametrize(
    ("text", "quick"), [("plain", True), ("a naïve café, once in a while", True), ("法国的首都", False)]
)
def test_calls_a_text_quick_that_is_mostly_ascii(encoder, text, quick):
    """A text in other scripts takes the tokeniser, and ten times as long."""
    assert quick == encoder.is_quick(text)


def test_says_what_it_reads(encoder):
    """Texts of which it reads the same have the same vector."""
    first, second = (f"dog {'cat ' * n} bird" for n in (3000, 3001))

    assert encoder.read(first) == encoder.read(second) != first
    assert np.array_equal(*encoder.encode([first, second]))
