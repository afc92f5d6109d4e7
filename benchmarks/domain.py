"""Measure the signal `domain`: accuracy from few examples, unfamiliar requests, and what paraphrase does.

    python benchmarks/domain.py INTENTS.parquet [--shots 10 30] [--draws 5] [--queries 1000]

The file has the columns `text, domain, split`. Examples are drawn from the split `train`, queries from `test`;
a domain `out_of_scope` holds requests of no class. A file with `prompt, task, fold` (folds `train`, `dev`) will do too.
Baselines, on the same vectors and draws: logistic regression, and the nearest example. Half of the background that
ships is left out, and so are requests of no class that are in the other half: an AUROC over what the background
holds would be too good.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score

from gateway.signals.domain import Classes, fit
from gateway.signals.domain.weights import shipped_weights
from gateway.signals.minilm_encoder import MiniLMEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.signals.domain import DomainClassifier
    from gateway.signals.domain.weights import Weights
    from routers.types import FloatArray

OUTSIDE = "out_of_scope"
#: Vectors nearer than this are of the same text.
SAME = 0.999


class Remembering:
    """An encoder that embeds each text once."""

    def __init__(self) -> None:
        self._encoder = MiniLMEncoder()
        self._known: dict[str, FloatArray] = {}

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Return unit vectors `[n, 384]`."""
        new = sorted({text for text in texts if text not in self._known})
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])


@dataclass(frozen=True, slots=True)
class Draw:
    """Examples by class, and queries `texts` with their classes `truth`, of which some are outside."""

    examples: dict[str, list[str]]
    texts: list[str]
    truth: np.ndarray


def draws(file: Path, shots: int, number: int, queries: int) -> Iterator[Draw]:
    """Yield draws of examples and queries, one a seed."""
    text, domain, split = read(file)
    names = sorted(set(domain) - {OUTSIDE})
    outside = np.flatnonzero(domain == OUTSIDE)
    held = np.flatnonzero((split == "test") & (domain != OUTSIDE))
    for seed in range(number):
        rng = np.random.default_rng(seed)
        train = {name: np.flatnonzero((split == "train") & (domain == name)) for name in names}
        examples = {name: list(text[rng.choice(rows, shots, replace=False)]) for name, rows in train.items()}
        inside = rng.choice(held, min(queries, len(held)), replace=False)
        rows = np.r_[inside, outside]
        yield Draw(examples, list(text[rows]), domain[rows])


def read(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return texts, classes and splits."""
    columns = pq.read_schema(file).names
    wanted = ["text", "domain", "split"] if "text" in columns else ["prompt", "task", "fold"]
    table = pq.read_table(file, columns=wanted).to_pydict()
    text, domain, split = (np.array(table[name], dtype=object) for name in wanted)
    split[split == "dev"] = "test"
    return text, domain, split


def unseen(draw: Draw, weights: Weights, encode: Callable[[Sequence[str]], FloatArray]) -> Draw:
    """Return a draw without the requests of no class that the background holds."""
    nearest = (encode(draw.texts) @ weights.background.T).max(axis=1)
    kept = np.flatnonzero((draw.truth != OUTSIDE) | (nearest < SAME))
    return replace(draw, texts=[draw.texts[row] for row in kept], truth=draw.truth[kept])


def scores(draw: Draw, best: np.ndarray, unfamiliar: np.ndarray) -> list[float]:
    """Return macro-F1 of queries of the classes, and the AUROC of unfamiliarity for those that are outside."""
    inside = draw.truth != OUTSIDE
    f1 = f1_score(draw.truth[inside], best[inside], average="macro")
    return [f1, roc_auc_score(~inside, unfamiliar) if (~inside).any() else np.nan]


def baselines(draw: Draw, encode: Callable[[Sequence[str]], FloatArray]) -> Iterator[tuple[str, list[float]]]:
    """Yield what plain methods reach."""
    names = np.array([name for name, texts in draw.examples.items() for _ in texts])
    rows = encode([text for texts in draw.examples.values() for text in texts])
    vectors = encode(draw.texts)
    model = LogisticRegression(max_iter=500).fit(rows, names)
    chances = model.predict_proba(vectors)
    yield "logistic regression", scores(draw, model.classes_[chances.argmax(1)], 1 - chances.max(1))
    similar = vectors @ rows.T
    yield "nearest example", scores(draw, names[similar.argmax(1)], -similar.max(1))


def measure(draw: Draw, encode: Callable[[Sequence[str]], FloatArray], weights: Weights | None = None) -> list[float]:
    """Return F1, AUROC, calibration error, and the shares refused of what is inside and outside."""
    never = fit(Classes.of(draw.examples), encode, threshold=1, weights=weights)
    readings = never.read_batch(encode(draw.texts), draw.texts)
    best = np.array([reading.domain for reading in readings])
    ood = np.array([reading.ood for reading in readings])
    confidence = np.array([reading.confidence for reading in readings])
    inside = draw.truth != OUTSIDE
    right = best[inside] == draw.truth[inside]
    error = calibration_error(confidence[inside], right)
    refused = ood > 0.5
    outside = refused[~inside].mean() if (~inside).any() else np.nan
    return [*scores(draw, best, ood), error, refused[inside].mean(), outside]


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error over ten bins of equal size."""
    bins = np.array_split(np.argsort(confidence), 10)
    return float(sum(len(b) * abs(confidence[b].mean() - right[b].mean()) for b in bins) / len(right))


def typo(text: str) -> str:
    """Return a text with two neighbouring letters exchanged in every third word."""
    words = text.split(" ")
    return " ".join(w[:1] + w[2] + w[1] + w[3:] if i % 3 == 2 and len(w) > 3 else w for i, w in enumerate(words))


PARAPHRASES: dict[str, Callable[[str], str]] = {
    "politeness": lambda text: f"Hi, please could you help me with this: {text}",
    "upper case": str.upper,
    "no spaces around punctuation": lambda text: re.sub(r"\s*([.,?!])\s*", r"\1", text),
    "typos": typo,
}


def robustness(draw: Draw, encode: Callable[[Sequence[str]], FloatArray]) -> dict[str, tuple[float, float]]:
    """Return for each paraphrase how many decisions stay, and the macro-F1."""
    classifier = fit(Classes.of(draw.examples), encode, threshold=1)
    inside = [text for text, truth in zip(draw.texts, draw.truth, strict=True) if truth != OUTSIDE]
    truth = [name for name in draw.truth if name != OUTSIDE]
    before = chosen(classifier, inside, encode)
    after = {name: chosen(classifier, [change(t) for t in inside], encode) for name, change in PARAPHRASES.items()}
    return {
        name: (float((found == before).mean()), f1_score(truth, found, average="macro"))
        for name, found in after.items()
    }


def chosen(
    classifier: DomainClassifier, texts: Sequence[str], encode: Callable[[Sequence[str]], FloatArray]
) -> np.ndarray:
    """Return the class of each text."""
    return np.array([reading.domain for reading in classifier.read_batch(encode(texts), texts)])


def latency(draw: Draw, encode: Callable[[Sequence[str]], FloatArray]) -> tuple[float, float, float]:
    """Return seconds to fit known vectors, to read one (median), and to embed one text (median)."""
    encode([text for texts in draw.examples.values() for text in texts])
    started = perf_counter()
    classifier = fit(Classes.of(draw.examples), encode)
    fitted = perf_counter() - started
    vectors, plain = encode(draw.texts[:200]), MiniLMEncoder()
    reads = [timed(lambda v=v, t=t: classifier.read(v, t)) for v, t in zip(vectors, draw.texts[:200], strict=True)]
    return (
        fitted,
        float(np.median(reads)),
        float(np.median([timed(lambda t=t: plain.encode([t])) for t in draw.texts[:50]])),
    )


def timed(call: Callable[[], object]) -> float:
    """Return how many seconds a call takes."""
    started = perf_counter()
    call()
    return perf_counter() - started


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--shots", type=int, nargs="*", default=[10, 30])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--queries", type=int, default=1000)
    options = parser.parse_args()
    encode = Remembering().encode
    weights = replace(shipped_weights(), background=shipped_weights().background[::2])
    for shots in options.shots:
        found: dict[str, list[list[float]]] = {}
        for drawn in draws(options.file, shots, options.draws, options.queries):
            draw = unseen(drawn, weights, encode)
            found.setdefault("pointsman", []).append(measure(draw, encode, weights))
            for name, row in baselines(draw, encode):
                found.setdefault(name, []).append(row)
        for name, rows in found.items():
            print(f"{shots:3d} examples, {name}: mean {np.mean(rows, 0).round(3)} sd {np.std(rows, 0).round(3)}")
    print({name: np.round(row, 3) for name, row in robustness(draw, encode).items()})
    print("seconds to fit, to read, to embed:", latency(draw, encode), Counter(draw.truth))


if __name__ == "__main__":
    main()
