"""What the difficulty model learns from: outcome tables on one scale, graded prompts, and variants of these.

A table has one row a prompt: `prompt`, `task`, `fold` and one column `score|MODEL` in [0, 1] for each model. The
difficulty of a table's prompt: one Rasch model over all tables, whose scales are tied by the models that several
tables share (Rasch 1960; for LLMs: arXiv:2509.25426), then the share of all its models expected to fail.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from gateway.signals.difficulty.features import cut, features
from gateway.signals.minilm_encoder import MiniLMEncoder

SIGNALS = Path(__file__).parents[1] / "gateway/signals"
#: Names under which one model occurs in several tables: pattern, common name.
SAME = (
    (r"llama-3[._]1-8b-instruct", "llama-3.1-8b"),
    (r"llama-3[._]1-70b-instruct", "llama-3.1-70b"),
    (r"gemini-1\.5-flash", "gemini-1.5-flash"),
    (r"gemini-1\.5-pro", "gemini-1.5-pro"),
    (r"gemma-2-9b", "gemma-2-9b"),
    (r"mixtral-8x7b", "mixtral-8x7b"),
    (r"mistral-7b-(?:instruct-v0\.1|chat)", "mistral-7b-v0.1"),
    (r"mistral-7b-instruct-v0\.[23]", "mistral-7b-v0.2"),
)
#: Exact-match marks make this task look far harder than it is; its mean is set to a grade of ours.
REGRADED = {"trivia_qa": 0.35}
#: How much thinking first helps on average, by task: our reading of arXiv:2409.12183 (mathematics and symbols gain,
#: knowledge and common sense hardly), not an outcome of these tables.
THINKING = {
    "gsm": 0.6, "gsm8k": 0.6, "agentverse-mgsm": 0.55, "math": 0.65, "math-l5": 0.78, "physics": 0.6, "chemistry": 0.6,
    "engineering": 0.6, "business": 0.5, "economics": 0.35, "mbpp": 0.4, "biology": 0.3, "health": 0.25, "other": 0.25,
    "psychology": 0.2, "philosophy": 0.3, "mmlu": 0.25, "commonsense_qa": 0.15, "openbook_qa": 0.15, "commongen": 0.15,
    "trivia_qa": 0.08, "arc_challenge": 0.2, "arc-challenge": 0.2, "winogrande": 0.25,
}  # fmt: skip
OPTIONS = re.compile(r"\n[A-J][.)] .*")
#: Words that say how hard a request is, and need not be right.
PHRASES = json.loads((Path(__file__).parent / "difficulty_phrases.json").read_text(encoding="utf-8"))


@dataclass
class Rows:
    """Prompts to learn from: features, embeddings, targets `[n, 2]`, weights, fold of cross-validation, source."""

    x: np.ndarray
    e: np.ndarray
    y: np.ndarray
    w: np.ndarray
    fold: np.ndarray
    source: np.ndarray

    def take(self, rows: np.ndarray) -> Rows:
        """Return some rows."""
        return Rows(*(getattr(self, name)[rows] for name in ("x", "e", "y", "w", "fold", "source")))


def words_by_rank() -> list[str]:
    """Return the whole words of the encoder's vocabulary, the most frequent first, as BERT's is ordered."""
    vocabulary = json.loads((SIGNALS / "minilm/tokenizer.json").read_text())["model"]["vocab"]
    ordered = sorted(vocabulary, key=vocabulary.__getitem__)
    return [word for word in ordered if word.isalpha() and word.isascii() and (len(word) > 1 or word in "ai")]


def common_name(model: str) -> str:
    """Return the name of a model that is the same in all tables."""
    return next((name for pattern, name in SAME if re.search(pattern, model, re.IGNORECASE)), model)


def rasch(tables: list[tuple[np.ndarray, list[str]]], steps: int = 200) -> list[np.ndarray]:
    """Return the share of all models expected to fail, for each prompt of each table `(scores [n, m], names)`."""
    names = sorted({name for _, columns in tables for name in columns})
    at = [np.array([names.index(name) for name in columns]) for _, columns in tables]
    ability = np.zeros(len(names))
    hardness = [np.zeros(len(scores)) for scores, _ in tables]
    for _ in range(steps):
        slope, curve = -ability, np.ones(len(names))
        for (scores, _), b, columns in zip(tables, hardness, at, strict=True):
            p = 1 / (1 + np.exp(b[:, None] - ability[columns]))
            information = (p * (1 - p)).sum(axis=1) + 0.3
            np.add(b, np.clip(((p - scores).sum(axis=1) - 0.3 * (b - b.mean())) / information, -0.7, 0.7), out=b)
            p = 1 / (1 + np.exp(b[:, None] - ability[columns]))
            np.add.at(slope, columns, (scores - p).sum(axis=0))
            np.add.at(curve, columns, (p * (1 - p)).sum(axis=0))
        ability += np.clip(slope / curve, -0.5, 0.5)
    return [(1 / (1 + np.exp(ability - b[:, None]))).mean(axis=1) for b in hardness]


def read_tables(paths: list[Path], fold: str = "train") -> tuple[list[str], np.ndarray, list[str], list[str]]:
    """Return prompts, targets `[n, 2]`, tasks and tables of the rows of a fold; few-shot prefixes are taken off."""
    prompts, tasks, names, scored = [], [], [], []
    for path in paths:
        table = pq.read_table(path)
        table = table.filter(np.array(table["fold"].to_pylist()) == fold)
        columns = [name for name in table.column_names if name.startswith("score|")]
        scored.append(
            (np.stack([table[name].to_numpy() for name in columns], 1), [common_name(c[6:]) for c in columns])
        )
        prompts += [re.split(r"Answer:\n[A-E]\n\n", prompt)[-1] for prompt in table["prompt"].to_pylist()]
        tasks += table["task"].to_pylist()
        names += [path.stem] * len(table)
    hard = np.concatenate(rasch(scored))
    for task, mean in REGRADED.items():
        rows = np.array(tasks) == task
        hard[rows] = np.clip(hard[rows] + mean - hard[rows].mean(), 0, 1) if rows.any() else hard[rows]
    thinking = np.clip(np.array([THINKING[task] for task in tasks]) + 0.3 * (hard - 0.45), 0.02, 0.95)
    return prompts, np.stack([hard, thinking], 1), tasks, names


def graded() -> list[tuple[str, float, float, str, float]]:
    """Return our graded prompts: text, difficulty, reasoning (NaN: not graded), topic, weight."""
    examples = _lines("domains/examples.jsonl")
    extra = _lines("difficulty/graded.jsonl")
    rows = [(e["text"], e["difficulty"], e["reasoning"], e["domain"], 1.0) for e in examples]
    rows += [(e["text"], e["difficulty"], e["reasoning"], e["topic"], 3.0) for e in extra]
    for pair in _lines("difficulty/pairs.jsonl"):
        if pair["part"] == "train":
            rows += [(pair["easy"], 0.02, np.nan, pair["topic"], 3.0), (pair["hard"], 0.8, np.nan, pair["topic"], 3.0)]
    return rows


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SIGNALS / name).read_text(encoding="utf-8").splitlines()]


def variants(text: str) -> list[str]:
    """Return a text with words that say hard or easy and mean nothing, in lower case, and with letters swapped."""
    rng = random.Random(text)  # noqa: S311 - a seeded draw
    letters = list(text)
    for _ in range(max(1, len(text) // 40)):
        place = rng.randrange(max(1, len(text) - 1))
        if text[place : place + 2].isalpha() and len(text) > place + 1:
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
    templates = [
        rng.choice(PHRASES["trained_hard_words"]),
        rng.choice(PHRASES["trained_hard_words"]),
        rng.choice(PHRASES["trained_easy_words"]),
    ]
    return [text, *(template.replace("{}", text) for template in templates), text.lower(), "".join(letters)]


class Texts:
    """Reads texts, and remembers embeddings: `cache` is a file of them, since a table takes minutes."""

    def __init__(self, ranks: dict[str, float], cache: Path | None) -> None:
        self._ranks, self._cache, self._encoder = ranks, cache, MiniLMEncoder()
        self._known: dict[str, np.ndarray] = {}
        if cache is not None and cache.exists():
            with np.load(cache) as stored:
                self._known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def read(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return features and embeddings, a row a text."""
        keys = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if new:
            self._known.update(zip(new, self._encoder.encode(list(new.values())), strict=True))
            if self._cache is not None:
                np.savez(self._cache, keys=list(self._known), vectors=np.array(list(self._known.values())))
        return np.array([features(cut(t)[0], self._ranks) for t in texts]), np.array([self._known[k] for k in keys])


def table_rows(paths: list[Path], texts: Texts) -> Rows:
    """Return the tables' prompts, each with and without the options of a multiple choice."""
    prompts, y, tasks, names = read_tables(paths)
    fold = np.random.default_rng(0).integers(0, 5, len(y))
    source = np.array([f"{name}:{task}" for name, task in zip(names, tasks, strict=True)])
    whole, stems = texts.read(prompts), texts.read([OPTIONS.sub("", prompt) for prompt in prompts])
    x, e = (np.concatenate(both) for both in zip(whole, stems, strict=True))
    return Rows(x, e, np.tile(y, (2, 1)), np.full(2 * len(y), 0.5), np.tile(fold, 2), np.tile(source, 2))


def graded_rows(texts: Texts, total: float) -> Rows:
    """Return the graded prompts and their variants; all together weigh `total`."""
    rows = [(text, *row[1:], at, row[0]) for at, row in enumerate(graded()) for text in variants(row[0])]
    x, e = texts.read([row[0] for row in rows])
    w = np.array([row[4] for row in rows])
    folds = np.random.default_rng(1).integers(0, 5, 1 + rows[-1][5])
    y = np.array([row[1:3] for row in rows])
    source = np.array([f"graded:{row[3]}:{'original' if row[0] == row[6] else 'variant'}" for row in rows])
    return Rows(x, e, y, w * total / w.sum(), folds[[row[5] for row in rows]], source)
