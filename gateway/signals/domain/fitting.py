"""Fits the classifier of the signal `domain` to examples and descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.domain.examples import Classes, DomainError
from gateway.signals.domain.novelty import Novelty
from gateway.signals.domain.prior import Prior
from gateway.signals.domain.ridge import Ridge
from gateway.signals.domain.rows import Row, rows_of
from gateway.signals.domain.views import Views, unit_embeddings
from gateway.signals.domain.weights import PROBE, Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from routers.types import FloatArray

    Matrix = NDArray[np.float64]
    Encode = Callable[[Sequence[str]], FloatArray]

#: The kernel's sharpness; chosen, as the noise is, on CLINC150's five domains.
SHARPNESS = 2.5
#: How sharp probabilities may be made of scores; the best of them on examples left out.
SHARPNESSES = np.geomspace(1, 64, 37)
#: The sharpness where there are too few examples to choose by.
UNCALIBRATED_SHARPNESS = 16.0
FEWEST_TO_CALIBRATE = 10
#: The share of the examples that are unfamiliar by definition, each judged by the others.
UNFAMILIAR = 0.05
#: The log odds of novelty at which a text is half unfamiliar to a class that has no examples to judge by.
UNCALIBRATED_FAMILIAR = 14.5
#: How near an encoder's vector of the probe must be to that of the weights.
SAME_ENCODER = 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The state of a classifier of `k` classes.

    `offset` `[k]` is taken off the scores, and `familiar` `[k]` is the log odds of novelty at which `ood` is one half.
    """

    ridge: Ridge
    prior: Prior
    novelty: Novelty
    offset: Matrix
    sharpness: float
    familiar: Matrix

    def scores(self, embeddings: FloatArray, vectors: FloatArray) -> Matrix:
        """Return a score for every class, `[m, k]`."""
        return np.asarray(self.prior.scores(embeddings) + self.ridge.predict(vectors) - self.offset, np.float64)

    def probabilities(self, scores: Matrix) -> Matrix:
        """Return probabilities of the classes, `[m, k]`, that sum to one."""
        return _softmax(self.sharpness * scores)

    def ood(self, embeddings: FloatArray, scores: Matrix) -> Matrix:
        """Return how unfamiliar texts are, `[m]` in [0, 1]."""
        log_odds = self.novelty.log_odds(embeddings, scores.max(axis=1)) - self.familiar[scores.argmax(axis=1)]
        return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))


def fit_classes(classes: Classes, encode: Encode, views: Views, weights: Weights) -> Fitted:
    """Fit. Raises `DomainError` where the encoder is not the one that the weights belong to."""
    rows = rows_of(classes)
    embeddings = _embed([row.text for row in rows], encode, weights)
    prior = Prior.fit(classes, encode, weights.background)
    owner = np.array([row.place for row in rows])
    targets = np.eye(len(classes.names))[owner] - 1 / len(classes.names) - prior.scores(embeddings)
    vectors = views.vectors(embeddings, [row.text for row in rows])
    ridge = Ridge.fit(vectors, targets, np.array([row.noise for row in rows]), SHARPNESS)
    groups = _groups(rows)
    offset = _offset(classes, prior, ridge, weights, views)
    held_out = ridge.held_out(targets, groups) + prior.scores(embeddings[: len(groups)]) - offset
    novelty = Novelty.fit(embeddings[_familiar_rows(classes, rows)], weights.background)
    return Fitted(
        ridge=ridge,
        prior=prior,
        novelty=novelty,
        offset=offset,
        sharpness=_sharpness(held_out, owner[: len(groups)]),
        familiar=_familiar(classes, novelty, held_out),
    )


def _offset(classes: Classes, prior: Prior, ridge: Ridge, weights: Weights, views: Views) -> Matrix:
    """Return each class's mean score for general questions, as far as the classes have unlike numbers of examples.

    A class with more examples scores higher than one with fewer, for any text at all.
    """
    sizes = [len(texts) for texts in classes.texts]
    uneven = 1 - min(sizes) / max(*sizes, 1)
    if not max(sizes) or not uneven:
        return np.zeros(len(sizes))
    general = views.vectors(weights.background, [""] * len(weights.background))
    scores = prior.scores(weights.background) + ridge.predict(general)
    return np.asarray(uneven * scores.mean(axis=0), np.float64)


def _familiar_rows(classes: Classes, rows: Sequence[Row]) -> list[int]:
    """Return the rows that a text may be like: examples, and descriptions of classes that have none."""
    last = max((row.example + 1 for row in rows if row.example is not None), default=0)
    return [place for place, row in enumerate(rows) if place < last or not classes.texts[row.place]]


def _embed(texts: Sequence[str], encode: Encode, weights: Weights) -> FloatArray:
    vectors = unit_embeddings(encode([*texts, PROBE]))
    if float(vectors[-1] @ weights.probe) < SAME_ENCODER:
        raise DomainError("the signal 'domain' belongs to the encoder 'minilm', and this is another: use 'minilm'")
    return vectors[:-1]


def _groups(rows: Sequence[Row]) -> list[list[int]]:
    """Return for each example the rows that are it or a copy of it, itself first."""
    groups: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        if row.example is not None:
            groups.setdefault(row.example, []).append(place)
    return [groups[example] for example in sorted(groups)]


def _sharpness(held_out: Matrix, owner: NDArray[np.intp]) -> float:
    """Return the sharpness under which the examples left out are likeliest (Guo et al. 2017, arXiv:1706.04599)."""
    if len(owner) < FEWEST_TO_CALIBRATE:
        return UNCALIBRATED_SHARPNESS
    truth = np.arange(len(owner)), owner
    likelihoods = [np.log(_softmax(sharpness * held_out)[truth]).mean() for sharpness in SHARPNESSES]
    return float(SHARPNESSES[int(np.argmax(likelihoods))])


def _familiar(classes: Classes, novelty: Novelty, held_out: Matrix) -> Matrix:
    """Return for each class the log odds that all but a few of the examples left out stay below."""
    familiar = np.full(len(classes.names), UNCALIBRATED_FAMILIAR)
    if len(held_out) >= FEWEST_TO_CALIBRATE:
        log_odds = novelty.held_out_log_odds(held_out.max(axis=1))
        familiar[[bool(texts) for texts in classes.texts]] = np.quantile(log_odds, 1 - UNFAMILIAR)
    return familiar


def _softmax(scores: Matrix) -> Matrix:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
