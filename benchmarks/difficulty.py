"""Measure the signals `difficulty` and `reasoning`: held-out tables, pairs, injected words, languages, time.

    PYTHONPATH=. python benchmarks/difficulty.py [TABLE.parquet...]

Tables are as `difficulty_rows.py` reads them; rows of fold `dev` are judged. The pairs are those of part `test`
in `gateway/signals/difficulty/pairs.jsonl`. `difficulty_phrases.json` has phrases that were
not seen in training, the same requests in four languages, and paraphrases; its first entries are the words put into
requests, its last ones those that were trained with.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from gateway.signals.difficulty import DifficultyModel
from gateway.signals.minilm_encoder import MiniLMEncoder

sys.path.insert(0, str(Path(__file__).parent))
from difficulty_rows import SIGNALS, read_tables

PHRASES = json.loads((Path(__file__).parent / "difficulty_phrases.json").read_text(encoding="utf-8"))
MODEL, ENCODER = DifficultyModel.load(), MiniLMEncoder()


def read(texts: list[str], *, embedded: bool = True) -> np.ndarray:
    """Return difficulty, reasoning and their confidences, `[n, 4]`."""
    vectors = ENCODER.encode(texts) if embedded else [None] * len(texts)
    readings = [MODEL.read(text, vector) for text, vector in zip(texts, vectors, strict=True)]
    return np.array([[r.difficulty, r.reasoning, r.difficulty_confidence, r.reasoning_confidence] for r in readings])


def interval(a: np.ndarray, b: np.ndarray) -> str:
    """Return a rank correlation with its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(a), (300, len(a)))
    low, high = np.quantile([spearmanr(a[r], b[r])[0] for r in rows], [0.025, 0.975])
    return f"{spearmanr(a, b)[0]:.3f} [{low:.3f}, {high:.3f}]"


def tables(paths: list[Path]) -> None:
    """Print rank correlations on the tables, calibration by bins, and error by confidence."""
    prompts, y, tasks, names = read_tables(paths, "dev")
    target, task, name = y[:, 0], np.array([f"{n}:{t}" for n, t in zip(names, tasks, strict=True)]), np.array(names)
    for embedded in (True, False):
        p = read(prompts, embedded=embedded)
        for table in sorted(set(names)):
            m = name == table
            groups = [task == t for t in sorted(set(task[m])) if (task == t).sum() > 15]
            within = np.average([spearmanr(p[g, 0], target[g])[0] for g in groups], weights=[g.sum() for g in groups])
            print(f"{table} embedded={embedded}: {interval(p[m, 0], target[m])}, within tasks {within:.3f}")
        error = np.abs(p[:, 0] - target)
        order = np.argsort(p[:, 2])
        print(
            "mean error by third of confidence:", [round(float(error[o].mean()), 3) for o in np.array_split(order, 3)]
        )
        bins = np.array_split(np.argsort(p[:, 0]), 10)
        print("expected, found:", [(round(float(p[b, 0].mean()), 2), round(float(target[b].mean()), 2)) for b in bins])
        print("calibration error:", round(float(np.mean([abs(p[b, 0].mean() - target[b].mean()) for b in bins])), 3))


def pairs() -> None:
    """Print how easy and hard requests of one topic are told apart, and what added words do."""
    lines = (SIGNALS / "difficulty/pairs.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["part"] == "test"]
    for embedded in (True, False):
        easy, hard = (read([row[kind] for row in rows], embedded=embedded)[:, 0] for kind in ("easy", "hard"))
        labels = np.repeat([0, 1], len(rows))
        area = roc_auc_score(labels, np.concatenate([easy, hard]))
        print(f"embedded={embedded}: AUROC {area:.3f}; easy below .5: {(easy < 0.5).mean():.3f},",
              f"hard above .5: {(hard > 0.5).mean():.3f}; pairs in order {(easy < hard).mean():.3f}")  # fmt: skip
        for topic in sorted({row["topic"] for row in rows}):
            m = np.array([row["topic"] == topic for row in rows])
            area = roc_auc_score(np.repeat([0, 1], m.sum()), np.concatenate([easy[m], hard[m]]))
            print(f"  {topic}: AUROC {area:.2f}, mean {easy[m].mean():.2f} and {hard[m].mean():.2f}")
        for phrase in PHRASES["hard_words"]:
            moved = read([phrase.replace("{}", row["easy"]) for row in rows], embedded=embedded)[:, 0]
            print(f"  easy + {phrase!r}: over .5 {(moved > 0.5).mean():.3f}, mean {moved.mean():.2f}")
        for phrase in PHRASES["easy_words"]:
            moved = read([phrase.replace("{}", row["hard"]) for row in rows], embedded=embedded)[:, 0]
            fallen = ((moved < 0.5) & (hard > 0.5)).mean()
            print(f"  hard + {phrase!r}: falls under .5 {fallen:.3f}, mean {moved.mean():.2f}")


def equivalents() -> None:
    """Print how far apart the readings of equivalent requests are."""
    for language in range(1, 4):
        english, other = (read([row[column] for row in PHRASES["languages"]])[:, 0] for column in (0, language))
        print("language", language, np.round(english, 2), np.round(other, 2), f"{np.abs(english - other).mean():.3f}")
    one, two = (read([row[column] for row in PHRASES["paraphrases"]])[:, 0] for column in (0, 1))
    print("paraphrases", np.round(one, 2), np.round(two, 2), f"mean |difference| {np.abs(one - two).mean():.3f}")


def seconds() -> None:
    """Print the median time of a reading, and of making the embedding in the same run."""
    text = " ".join(["We have an army of 300 who must cross a river, if the boat (which holds 12) does not sink."] * 5)
    for name, content in (
        ("100 words", text),
        ("longest prose", text * 10),
        ("longest code", "def f(x):\n    return [x, {1: x}]\n" * 60),
    ):
        vector = ENCODER.encode([content])[0]
        whole, alone = (_clock(lambda c=content, v=v: MODEL.read(c, v)) for v in (vector, None))
        embedding = _clock(lambda c=content: ENCODER.encode([c]), 20)
        print(f"{name}: {whole:.3f} ms with an embedding, {alone:.3f} without; the embedding {embedding:.1f} ms")


def _clock(call: object, times: int = 300) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken)) * 1e3


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", type=Path)
    given = parser.parse_args().tables
    seconds()
    pairs()
    equivalents()
    if given:
        tables(given)
