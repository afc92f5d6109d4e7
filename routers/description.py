"""A request in numbers for those who learn from tables: what it means, how it is put, what kind it is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.lexical import Lexicon
from routers.parts import below, prefixed
from routers.surface import surface

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import FloatArray

    Arrays = Mapping[str, NDArray[np.generic]]

#: Dimensions of the wording.
LEXICAL = 100
#: How the three parts are weighed against each other where tasks are told apart.
_MEANING, _WORDING, _LOOKS = 3.0, 4.0, 0.5
#: Parts that training rows are split into, so that a row's own label is not among its features.
_FOLDS = 5
#: Beyond so many standard deviations a feature of the looks is cut.
_CUT = 4.0
#: Odds below this make no difference.
_SMALLEST = 1e-3


@dataclass(frozen=True, slots=True)
class Tongue:
    """How texts are read: `lexicon`, and mean and scale of their looks. Fitted once, on the first texts."""

    lexicon: Lexicon
    center: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, texts: Sequence[str], seed: int) -> Tongue:
        """Fit to texts."""
        looks = np.stack([surface(text) for text in texts])
        spread = looks.std(axis=0)
        scale = np.where(spread > 0, spread, np.inf).astype(np.float32)
        return cls(Lexicon.of(texts, LEXICAL, seed), looks.mean(axis=0), scale)

    def read(self, text: str) -> FloatArray:
        """Return wording and looks of a text, `[d]`, rounded to half precision as they are kept."""
        looks = np.clip((surface(text) - self.center) / self.scale, -_CUT, _CUT)
        both = np.concatenate([_WORDING * self.lexicon.transform(text), _LOOKS * looks])
        return both.astype(np.float16).astype(np.float32)

    def state(self) -> Arrays:
        """Return its arrays."""
        return {"center": self.center, "scale": self.scale, **prefixed("lexicon", self.lexicon.state())}

    @classmethod
    def restored(cls, state: Arrays) -> Tongue:
        """Return what `state` returned. Raises `KeyError`."""
        lexicon = below("lexicon", state)
        projection = lexicon["projection"].astype(np.float16)
        return cls(
            Lexicon(lexicon["weights"].astype(np.float32), projection),
            state["center"].astype(np.float32),
            state["scale"].astype(np.float32),
        )


@dataclass(frozen=True, slots=True)
class Kinds:
    """Tells tasks apart: multinomial logistic regression, `coefficients` `[d, t]`, `intercepts` `[t]`."""

    tasks: tuple[str, ...]
    coefficients: FloatArray
    intercepts: FloatArray

    def log_odds(self, features: FloatArray) -> FloatArray:
        """Return the logarithm of each task's probability, `[n, t]`; nothing where there are not two tasks."""
        scores = features @ self.coefficients + self.intercepts
        if not scores.shape[1]:
            return np.asarray(scores)
        scores = scores - scores.max(axis=1, keepdims=True)
        chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return np.asarray(np.log(chances + _SMALLEST), np.float32)

    @classmethod
    def of(cls, features: FloatArray, tasks: NDArray[np.str_], known: Sequence[str]) -> Kinds:
        """Fit to rows, of which those with an empty task count for nothing; `known` are the tasks of the columns."""
        labelled = np.flatnonzero(tasks != "")
        present = np.unique(tasks[labelled])
        if len(known) < 2 or len(present) < 2:
            width = len(known) if len(known) > 1 else 0
            return cls(tuple(known), np.zeros((features.shape[1], width), np.float32), np.zeros(width, np.float32))
        from sklearn.linear_model import LogisticRegression

        fitted = LogisticRegression(C=1.0, max_iter=200, tol=1e-3).fit(
            features[labelled].astype(np.float64), tasks[labelled]
        )
        coefficients, intercepts = _per_class(fitted.coef_, fitted.intercept_)
        places = [list(known).index(task) for task in present]
        weights = np.zeros((features.shape[1], len(known)), np.float32)
        constants = np.full(len(known), -np.inf, np.float32)
        weights[:, places], constants[places] = coefficients.T, intercepts
        return cls(tuple(known), weights, np.maximum(constants, -1e6).astype(np.float32))


def _per_class(
    coefficients: NDArray[np.float64], intercepts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a row a class, where two classes share one."""
    if len(coefficients) > 1:
        return coefficients, intercepts
    return np.concatenate([0 * coefficients, coefficients]), np.concatenate([0 * intercepts, intercepts])


def out_of_fold(features: FloatArray, tasks: NDArray[np.str_], known: Sequence[str], seed: int) -> FloatArray:
    """Return each row's `log_odds` as told by a classifier that has not seen the row."""
    parts = np.random.default_rng(seed).permutation(len(features)) % _FOLDS
    odds = np.zeros((len(features), len(known) if len(known) > 1 else 0), np.float32)
    for part in range(_FOLDS):
        inside, outside = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
        if len(inside):
            odds[inside] = Kinds.of(features[outside], tasks[outside], known).log_odds(features[inside])
    return odds


def scaled(embeddings: FloatArray) -> FloatArray:
    """Return embeddings as the classifier of tasks weighs them."""
    return np.asarray(_MEANING * embeddings)
