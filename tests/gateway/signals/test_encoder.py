import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.signals import minilm_encoder
from gateway.signals.encoder import CHARACTERS_PER_TOKEN, EncoderError, open_encoder
from gateway.signals.minilm_encoder import MiniLMEncoder

SHIPPED = Path(minilm_encoder.__file__).with_name("minilm")
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
    return open_encoder("minilm")


def cosine(a, b):
    """Cosine between the rows of two arrays of unit vectors."""
    return np.sum(a.astype(np.float64) * b, axis=-1)


def damaged(folder, name):
    """Copy the shipped files, one of them with its last byte changed."""
    for file in SHIPPED.glob("*.*"):
        content = file.read_bytes()
        (folder / file.name).write_bytes(content[:-1] + b"?" if file.name == name else content)
    return folder


def test_matches_the_original_on_a_known_sentence(encoder):
    """The first numbers of a vector are those of the original weights."""
    (vector,) = encoder.encode(["This is an example sentence"])

    assert [0.0677, 0.0635, 0.0487, 0.0793] == pytest.approx(vector[:4].tolist(), abs=1e-4)


def test_puts_like_near_like(encoder):
    """Sentences that mean the same are nearer to each other than to others."""
    a, b, c = encoder.encode(["How do I sort a list?", "Ways to order an array", "The best pizza in Naples"])

    assert cosine(a, b) > cosine(a, c) + 0.3


def test_returns_a_unit_vector_for_each_text(encoder):
    """Rows are float32, of length one, in the order of the texts."""
    vectors = encoder.encode(VARIED)

    assert (len(VARIED), encoder.dimension) == vectors.shape
    assert np.float32 == vectors.dtype
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_returns_no_rows_for_no_texts(encoder):
    """Nothing in, nothing out."""
    assert (0, 384) == encoder.encode([]).shape


def test_gives_a_text_the_same_vector_in_any_company(encoder):
    """Neither padding nor the rest of its batch changes a text's vector."""
    alone = np.concatenate([encoder.encode([text]) for text in VARIED])

    together = encoder.encode(VARIED * 6)[len(VARIED) : 2 * len(VARIED)]

    assert cosine(alone, together).min() > 0.999999


def test_gives_the_same_bytes_each_time(encoder):
    """The same call has the same outcome, in another instance too."""
    assert encoder.encode(VARIED).tobytes() == MiniLMEncoder().encode(VARIED).tobytes()


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(anything, max_size=4))
def test_takes_any_string(encoder, texts):
    """Lone surrogates, control characters and unassigned code points have unit vectors too."""
    norms = np.linalg.norm(encoder.encode(texts), axis=1)

    assert [pytest.approx(1, abs=1e-5)] * len(texts) == norms.tolist()


@pytest.mark.parametrize("text", ["\ud800", "\udfff" * 300, "a\ud83d b"])
def test_drops_lone_surrogates(encoder, text):
    """Half a character, as broken JSON may hold, counts for nothing."""
    kept = "".join(c for c in text if not "\ud800" <= c <= "\udfff")

    assert np.array_equal(encoder.encode([kept]), encoder.encode([text]))


def test_reads_the_first_256_tokens(encoder):
    """What follows 254 word pieces and the two marks changes nothing; what precedes does."""
    words = ["dog"] * 254

    full, longer, other = encoder.encode([" ".join(w) for w in (words, [*words, "cat"], [*words[:-1], "cat"])])

    assert np.array_equal(full, longer)
    assert not np.array_equal(full, other)


def test_cuts_a_huge_text_before_tokenising_it(encoder):
    """Of a megabyte only the beginning is looked at."""
    spaces = " " * (encoder.max_tokens * CHARACTERS_PER_TOKEN)

    assert np.array_equal(encoder.encode([""]), encoder.encode([spaces + "unseen " * 150_000]))


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_refuses_a_file_that_is_not_the_pinned_one(tmp_path, name):
    """A changed byte is an error that names the file, both sums and the remedy."""
    with pytest.raises(EncoderError, match=rf"{name} is damaged: its sha256 is .* install pointsman again"):
        MiniLMEncoder(folder=damaged(tmp_path, name))


def test_refuses_a_missing_file(tmp_path):
    """An installation without the weights is an error that names the file."""
    with pytest.raises(EncoderError, match=r"tokenizer\.json cannot be read"):
        MiniLMEncoder(folder=tmp_path)


def test_opens_the_built_in_encoder_by_either_name(encoder):
    """The model's full name opens the same encoder."""
    full = open_encoder("all-MiniLM-L6-v2", threads=2)

    assert encoder.digest == full.digest
    assert cosine(encoder.encode(VARIED), full.encode(VARIED)).min() > 0.999999


def test_names_the_extra_that_another_encoder_needs(monkeypatch):
    """Without sentence-transformers, the error says what to install and what does without."""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    monkeypatch.delitem(sys.modules, "gateway.signals.sentence_transformer_encoder", raising=False)

    with pytest.raises(EncoderError, match=r"'e5' needs .*'pointsman\[sentence-transformers\]', or use .* 'minilm'"):
        open_encoder("e5")


def test_imports_no_runtime_before_an_encoder_is_opened():
    """The modules that everybody imports are light."""
    code = (
        "import sys, gateway.signals.embedding, gateway.signals.encoder;"
        "sys.exit(bool({'onnxruntime', 'tokenizers', 'torch'} & sys.modules.keys()))"
    )

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False, cwd=SHIPPED.parents[2]).returncode
