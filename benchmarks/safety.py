"""Measure the signal `safety` on labelled texts: by length, by disguise, by guard, and how long it takes.

    python benchmarks/safety.py LABELLED.parquet [MORE.parquet ...]

Each file has the columns `text` and `label` (`benign`, `jailbreak`, `harmful_request`), and may have `source`; a file
with a column `prompt` and no label is of harmless texts. Intervals are of 95 %, by resampling texts.
"""

from __future__ import annotations

import base64
import sys
import time
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score

from gateway.signals.minilm_encoder import MiniLMEncoder
from gateway.signals.safety import GuardCascade, JailbreakClassifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Scores = NDArray[np.float64]

SAMPLE, EMBEDDED = 2000, 300
LEET = str.maketrans("oieast", "013457")
ALIKE = str.maketrans("aeopcx", "аеорсх")  # noqa: RUF001 - look-alikes are the point


def read(path: Path) -> list[tuple[str, str, str]]:
    """Return text, label and source of a file's rows."""
    rows = pq.read_table(path).to_pylist()
    return [
        (row.get("text") or row["prompt"], row.get("label", "benign"), row.get("source") or path.stem) for row in rows
    ]


def auroc(attacks: Scores, harmless: Scores) -> float:
    """Return the area under the ROC curve; NaN where one side is empty."""
    if not len(attacks) or not len(harmless):
        return float("nan")
    truth = np.concatenate([np.ones(len(attacks)), np.zeros(len(harmless))])
    return float(roc_auc_score(truth, np.concatenate([attacks, harmless])))


def interval(attacks: Scores, harmless: Scores, seed: int = 0) -> str:
    """Return the AUROC with its interval."""
    rng = np.random.default_rng(seed)
    drawn = [auroc(rng.choice(attacks, len(attacks)), rng.choice(harmless, len(harmless))) for _ in range(300)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{auroc(attacks, harmless):.3f} [{low:.3f}, {high:.3f}]"


def by_source(rows: list[tuple[str, str, str]], scores: Scores) -> None:
    """Print how many texts of each source are called attacks."""
    print("| source | label | n | called an attack | median length |\n|---|---|---|---|---|")
    for source, label in sorted({(source, label) for _, label, source in rows}):
        here = np.array([row[1:] == (label, source) for row in rows])
        length = np.median([len(row[0]) for row, chosen in zip(rows, here, strict=True) if chosen])
        print(f"| {source} | {label} | {here.sum()} | {(scores[here] > 0.5).mean():.3f} | {length:.0f} |")


def by_length(rows: list[tuple[str, str, str]], scores: Scores) -> None:
    """Print the AUROC within bands of equal numbers of attacks."""
    labels = np.array([label for _, label, _ in rows])
    lengths = np.array([len(text) for text, _, _ in rows])
    attacks = labels == "jailbreak"
    edges = np.quantile(lengths[attacks], np.linspace(0, 1, 6))
    print(
        "| characters | attacks | harmless | AUROC | AUROC of length | found | false alarms |\n"
        "|---|---|---|---|---|---|---|"
    )
    for low, high in pairwise(edges):
        here = (lengths >= low) & (lengths <= high)
        yes, no = here & attacks, here & (labels == "benign")
        alone = auroc(lengths[yes].astype(float), lengths[no].astype(float))
        print(
            f"| {low:.0f} to {high:.0f} | {yes.sum()} | {no.sum()} | {interval(scores[yes], scores[no])} | {alone:.2f} "
            f"| {(scores[yes] > 0.5).mean():.3f} | {(scores[no] > 0.5).mean():.3f} |"
        )


def typos(text: str, seed: int = 0) -> str:
    """Return a text with one letter in 15 swapped with the next."""
    rng, signs = Random(seed), list(text)  # noqa: S311 - draws of typos, not of keys
    for place in range(len(signs) - 1):
        if signs[place].isalpha() and signs[place + 1].isalpha() and rng.random() < 1 / 15:
            signs[place], signs[place + 1] = signs[place + 1], signs[place]
    return "".join(signs)


DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "capitals": str.upper,
    "typos": typos,
    "politeness": lambda text: (
        f"Hello! I hope that you are well. Could you please help me? {text} Thank you very much!"
    ),
    "leetspeak": lambda text: text.lower().translate(LEET),
    "look-alike letters": lambda text: text.lower().translate(ALIKE),
    "invisible characters": "\u200b".join,
    "spaced letters": lambda text: "  ".join(" ".join(word) for word in text.split()),
    "full-width letters": lambda text: "".join(chr(ord(s) + 0xFEE0) if "!" <= s <= "~" else s for s in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "reversed": lambda text: text[::-1],
    "first 300 characters": lambda text: text[:300],
}


def disguised(guard: JailbreakClassifier, attacks: Sequence[str], harmless: Sequence[str]) -> None:
    """Print how attacks, and harmless texts, score when they are spelled otherwise."""
    print("| disguise | AUROC | found | false alarms |\n|---|---|---|---|")
    for name, disguise in DISGUISES.items():
        yes, no = (np.array([guard.score(disguise(text)).jailbreak for text in part]) for part in (attacks, harmless))
        print(f"| {name} | {auroc(yes, no):.3f} | {(yes > 0.5).mean():.3f} | {(no > 0.5).mean():.3f} |")


def guards(rows: list[tuple[str, str, str]], seed: int = 0) -> None:
    """Print the small guard, the large one (with the embedding) and the cascade side by side."""
    rng = Random(seed)  # noqa: S311 - draws of texts, not of keys
    groups: dict[tuple[str, str], list[str]] = {}
    for text, label, source in rows:
        if label != "harmful_request":
            groups.setdefault((label, source), []).append(text)
    chosen = [(text, key[0]) for key, texts in groups.items() for text in rng.sample(texts, min(len(texts), EMBEDDED))]
    vectors = MiniLMEncoder(threads=1).encode([text for text, _ in chosen])
    small = JailbreakClassifier.load()
    attack = np.array([label == "jailbreak" for _, label in chosen])
    print("| guard | AUROC | found | false alarms | large guard asked |\n|---|---|---|---|---|")
    for name, low, high, strange in (
        ("small", 0, 0, 1),
        ("large", 0, 1, 0),
        ("cascade", 0.1, 0.9, 0.9),
        ("wider", 0.03, 0.97, 0.9),
    ):
        cascade = GuardCascade(small, small, low, high, strange)
        pairs = zip(chosen, vectors, strict=True)
        readings = [small.score(t) if name == "small" else cascade.score(t, vector) for (t, _), vector in pairs]
        scores = np.array([reading.jailbreak for reading in readings])
        asked = np.mean([reading.deferred for reading in readings])
        print(
            f"| {name} | {interval(scores[attack], scores[~attack])} | {(scores[attack] > 0.5).mean():.3f} "
            f"| {(scores[~attack] > 0.5).mean():.4f} | {asked:.3f} |"
        )


def timed(guard: JailbreakClassifier) -> None:
    """Print how long texts of several lengths take, beside the built-in encoder."""
    text = "Please explain how compound interest works, and why it matters to somebody who saves for a house. " * 2000
    encoder = MiniLMEncoder(threads=1)
    print("| characters | median ms | of the encoder's time |\n|---|---|---|")
    for length in (50, 500, 2000, 16_000, 200_000):
        spent = []
        for call in (guard.score, lambda part: encoder.encode([part])):
            each = []
            for _ in range(30):
                started = time.perf_counter()
                call(text[:length])
                each.append(time.perf_counter() - started)
            spent.append(float(np.median(each)))
        print(f"| {length:,} | {spent[0] * 1e3:.2f} | {spent[0] / spent[1]:.2f} |")


def main(paths: Sequence[str]) -> None:
    """Print all tables."""
    rng = Random(0)  # noqa: S311 - draws of texts, not of keys
    files = [read(Path(path)) for path in paths]
    rows = [row for file in files for row in (file if len(file) <= SAMPLE else rng.sample(file, SAMPLE))]
    guard = JailbreakClassifier.load()
    readings = [guard.score(text) for text, _, _ in rows]
    scores = np.array([reading.jailbreak for reading in readings])
    labels = np.array([label for _, label, _ in rows])
    print(f"AUROC, attacks against harmless: {interval(scores[labels == 'jailbreak'], scores[labels == 'benign'])}")
    harmful = np.array([reading.harmful for reading in readings])
    asked = interval(harmful[labels == "harmful_request"], harmful[labels == "benign"])
    print(f"AUROC, harmful requests against harmless: {asked}")
    by_source(rows, scores)
    by_length(rows, scores)
    attacks, harmless = ([t for t, label, _ in rows if label == kind] for kind in ("jailbreak", "benign"))
    disguised(guard, attacks[:200], rng.sample(harmless, min(len(harmless), 400)))
    guards(rows)
    timed(guard)


if __name__ == "__main__":
    main(sys.argv[1:])
