"""The windows of the texts that the safety classifier is fitted to, and the models that are fitted to windows."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from gateway.signals.safety import features, spelling

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from safety_corpus import Text

#: Sources that are judged together by a model to which all of them are unknown. All others make the last fold.
FOLDS = (
    {"s-labs"},
    {"neuralchemy"},
    {"pyrit", "documents", "chatterbot"},
    {"spikee", "bastioncorpus", "promptwl", "giskard", "agent-injection-bench", "code", "swe-lancer", "ifbench"},
    {"made"},
)
#: Of a longer text, so many windows are drawn.
WINDOWS_PER_TEXT = 8
#: How often attacks' windows are chosen anew, and the logit from which all of them are.
ROUNDS, CERTAIN = 3, 3.0
#: Edges of the bands of length within which both labels weigh the same.
BANDS = (40, 60, 90, 140, 220, 340, 470)


class Windows:
    """The windows of all texts: features `[n, D]`, the text of each, its label, fold and length."""

    def __init__(self, texts: list[Text], seed: int = 0) -> None:
        rng = Random(seed)  # noqa: S311 - draws of windows, not of keys
        rows, owners, lengths = [], [], []
        for owner, text in enumerate(texts):
            plain = spelling.plain(text.text)
            places = features.windows(len(plain))
            for start, end in rng.sample(places, min(len(places), WINDOWS_PER_TEXT)):
                rows.append(features.buckets(plain[start:end]))
                owners.append(owner)
                lengths.append(end - start)
        counts = np.array([len(row) for row in rows])
        values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts).astype(np.float32)
        places = (values, np.concatenate(rows).astype(np.int32), np.concatenate([[0], np.cumsum(counts)]))
        self.matrix = csr_matrix(places, shape=(len(rows), 1 << features.BITS))
        self.owner, self.length = np.array(owners), np.array(lengths)
        self.label = np.array([texts[owner].label for owner in owners])
        self.fold = folds(texts)[self.owner]


def folds(texts: list[Text]) -> NDArray[np.intp]:
    """Return the fold of each text; harmful requests, which have one source, are dealt out."""
    place = {source: number for number, sources in enumerate(FOLDS) for source in sources}
    dealt = [
        index % (len(FOLDS) + 1) if text.source == "goals" else place.get(text.source, len(FOLDS))
        for index, text in enumerate(texts)
    ]
    return np.array(dealt)


def balanced(positive: NDArray[np.bool_], length: NDArray[np.intp], edges: tuple[int, ...]) -> NDArray[np.float64]:
    """Return weights with which both labels weigh the same in every band of length, so that length tells nothing."""
    weights = np.ones(len(positive))
    bands = np.digitize(length, edges)
    for band in np.unique(bands):
        here = bands == band
        if count := (here & positive).sum():
            weights[here & positive] *= max((here & ~positive).sum(), 1) / count
    return weights / weights.mean()


def fit_windows(windows: Windows, use: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Fit the attacks' model. Of a long attack only windows that look like one count: multiple-instance learning."""
    positive, negative = use & (windows.label == "jailbreak"), use & (windows.label == "benign")
    alone = np.bincount(windows.owner)[windows.owner] == 1
    chosen = negative | (positive & alone)
    for _ in range(ROUNDS):
        model = logistic(windows, chosen, positive[chosen])
        scores = windows.matrix @ model[0] + model[1]
        order = np.lexsort((-scores, windows.owner))
        best = np.zeros(len(scores), bool)
        best[order[np.concatenate([[True], np.diff(windows.owner[order]) > 0])]] = True
        chosen = negative | (positive & (best | (scores > CERTAIN)))
    return model


def logistic(
    windows: Windows, chosen: NDArray[np.bool_], positive: NDArray[np.bool_], penalty: float = 3.0
) -> tuple[NDArray[np.float64], float]:
    """Fit a logistic regression with weights that are balanced within bands of length."""
    weights = balanced(positive, windows.length[chosen], BANDS)
    model = LogisticRegression(C=penalty, max_iter=200, tol=1e-5)
    model.fit(windows.matrix[chosen], positive, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])
