"""The windows of the texts that the safety classifier is fitted to, and the models that are fitted to windows."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
from safety_crops import crops
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from gateway.signals.safety import features, spelling

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from safety_corpus import Text

#: Sources that are judged together by a model to which all of them are unknown. All others make the last fold.
FOLDS = (
    {"s-labs"},
    {"neuralchemy", "hackaprompt", "wildguard"},
    {"pyrit", "documents", "chatterbot"},
    {"spikee", "bastioncorpus", "promptwl", "giskard", "agent-injection-bench", "code", "swe-lancer", "ifbench"},
    {"made"},
)
#: Of a longer text, so many windows are drawn, and so many crops beside its opening.
WINDOWS_PER_TEXT = {"jailbreak": 8, "benign": 3, "harmful": 8}
PIECES_PER_TEXT = {"jailbreak": 2, "benign": 1, "harmful": 0}
#: How often attacks' windows are chosen anew, and the logits from which all of them are, and all of their crops.
ROUNDS, CERTAIN, LIKELY = 3, 3.0, 1.0
#: A source of n windows counts as much as n to this power, within a label and a band of length.
CROWD = 0.7
#: A feature counts as much as its information (the negative logarithm of how many windows have it) to this power.
RARITY = 1.0
#: Edges of the bands of length within which both labels weigh the same.
BANDS = (40, 60, 90, 140, 220, 340, 470)


class Windows:
    """Windows and crops of all texts: features `[n, D]`, the text of each, its label, source, fold and length.

    Features are scaled by how rare they are; a model's coefficients times `scale` are those of features as they come.
    """

    def __init__(self, texts: list[Text], seed: int = 0) -> None:
        rng = Random(seed)  # noqa: S311 - draws of windows, not of keys
        rows, owners, lengths, crop = [], [], [], []
        for owner, text in enumerate(texts):
            plain = spelling.plain(text.text)
            places = features.windows(len(plain))
            drawn = rng.sample(places, min(len(places), WINDOWS_PER_TEXT[text.label]))
            pieces = crops(plain, PIECES_PER_TEXT[text.label], rng) if text.label != "harmful" else []
            for piece in [*(plain[start:end] for start, end in drawn), *pieces]:
                rows.append(features.buckets(piece))
                owners.append(owner)
                lengths.append(len(piece))
            crop += [False] * len(drawn) + [True] * len(pieces)
        counts = np.array([len(row) for row in rows])
        values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts).astype(np.float32)
        places = (values, np.concatenate(rows).astype(np.int32), np.concatenate([[0], np.cumsum(counts)]))
        matrix = csr_matrix(places, shape=(len(rows), 1 << features.BITS))
        self.scale = rarity(matrix)
        self.matrix = matrix.multiply(self.scale).tocsr()
        self.owner, self.length, self.crop = np.array(owners), np.array(lengths), np.array(crop)
        self.label = np.array([texts[owner].label for owner in owners])
        self.source = np.array([texts[owner].source for owner in owners])
        self.fold = folds(texts)[self.owner]


def rarity(matrix: csr_matrix) -> NDArray[np.float32]:
    """Return a scale for each feature that grows with how rare it is, of which the mean square is 1."""
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1]) + 1
    information = np.log(matrix.shape[0] / np.minimum(counts, matrix.shape[0]))
    scale = information**RARITY
    return (scale / np.sqrt(np.average(scale**2, weights=counts))).astype(np.float32)


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


def uncrowded(
    positive: NDArray[np.bool_], length: NDArray[np.intp], source: NDArray[np.str_], edges: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return weights with which a large source does not drown small ones; labels are balanced as by `balanced`."""
    weights = np.ones(len(positive))
    bands = 2 * np.digitize(length, edges) + positive
    for band in np.unique(bands):
        here = np.flatnonzero(bands == band)
        _, place, count = np.unique(source[here], return_inverse=True, return_counts=True)
        share = count[place] ** (CROWD - 1.0)
        weights[here] = share / share.mean()
    return weights * balanced(positive, length, edges)


def fit_windows(windows: Windows, use: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Fit the attacks' model. Of a long attack only windows that look like one count: multiple-instance learning."""
    positive, negative = use & (windows.label == "jailbreak"), use & (windows.label == "benign")
    whole = positive & ~windows.crop
    chosen = negative | (whole & (np.bincount(windows.owner[~windows.crop])[windows.owner] == 1))
    for _ in range(ROUNDS):
        # Which windows are chosen hardly depends on the last digits.
        model = logistic(windows, chosen, positive[chosen], tolerance=1e-3)
        scores = windows.matrix @ model[0] + model[1]
        order = np.lexsort((-scores, windows.crop, windows.owner))
        best = np.zeros(len(scores), bool)
        best[order[np.concatenate([[True], np.diff(windows.owner[order]) > 0])]] = True
        sure = scores > np.where(windows.crop, LIKELY, CERTAIN)
        chosen = negative | (positive & (best | sure))
    return logistic(windows, chosen, positive[chosen])


def logistic(
    windows: Windows, chosen: NDArray[np.bool_], positive: NDArray[np.bool_], *, tolerance: float = 1e-5
) -> tuple[NDArray[np.float64], float]:
    """Fit a logistic regression with weights that are balanced within bands of length."""
    weights = uncrowded(positive, windows.length[chosen], windows.source[chosen], BANDS)
    model = LogisticRegression(C=3.0, max_iter=200, tol=tolerance)
    model.fit(windows.matrix[chosen], positive, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])
