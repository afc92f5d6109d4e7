"""The text beside its embedding: how it is put and what it looks like, for any estimator that reads embeddings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from routers.parts import below, prefixed
from routers.rows import check_length
from routers.tongue import Tongue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, Estimates, Estimator, FloatArray, Outcomes

    Arrays = Mapping[str, NDArray[np.generic]]


class Wording:
    """Let another estimator read an embedding that goes on with the wording and the looks of the text.

    A sentence encoder says what a text is about. It cuts off long texts, and makes little of how a text is put, which
    tells templates and sources apart, and of its length, lines, digits and formulae. So the embedding is continued by
    `routers.tongue.READING` numbers: latent semantic analysis of hashed words and character n-grams of both ends of the
    text, and standardised shares and counts of its characters. The whole is scaled to unit length.

    What reads is fitted to the texts of the first outcomes, and stays; no text is kept. Outcomes without texts, as a
    log has them that keeps none, are read as empty ones. A request without an embedding stays without one.

    Parameters: `estimator`, the one that reads; `seed` of the analysis.

    >>> from routers.estimators.knn import KNN
    >>> from routers.types import Candidate, Context, Outcomes
    >>> texts = tuple(f"{verb} {number}" for verb in ("add", "translate") for number in range(9))
    >>> rewards = np.repeat(np.array([[1.0], [0.0]], np.float32), 9, axis=0)
    >>> alike, gap = np.ones((18, 2), np.float32), np.full((18, 1), np.nan, np.float32)
    >>> wording = Wording(KNN(neighbours=5, shrinkage=0.0))
    >>> wording.learn(Outcomes(("small",), alike, rewards, gap, gap, texts=texts))
    >>> wording.predict([Context("add 12", 3, embedding=alike[0])], [Candidate("small")]).mean.tolist()
    [[1.0]]

    Deerwester et al., "Indexing by latent semantic analysis" (1990).
    """

    #: What reads depends on which outcomes came first.
    learns_in_batches = True

    def __init__(self, estimator: Estimator, seed: int = 0) -> None:
        self.estimator = estimator
        self.seed = seed
        self._tongue: Tongue | None = None
        self._length = 0

    @property
    def requires(self) -> frozenset[str]:
        """Name the embedding, and what the other estimator reads."""
        return self.estimator.requires | {"embedding"}

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        return self.estimator.predict([self._continued(context) for context in contexts], candidates)

    def learn(self, outcomes: Outcomes) -> None:
        """Read the texts, and let the other estimator learn.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        if not outcomes.n:
            return
        texts = outcomes.texts or ("",) * outcomes.n
        if self._tongue is None:
            self._tongue, self._length = Tongue.of(texts, self.seed), outcomes.embeddings.shape[1]
        check_length(outcomes.embeddings.shape[1], self._length)
        readings = np.stack([self._tongue.read(text) for text in texts])
        self.estimator.learn(replace(outcomes, embeddings=_joined(outcomes.embeddings, readings)))

    def state(self) -> Arrays:
        """Return what reads, and the state of the other estimator."""
        tongue = prefixed("tongue", self._tongue.state()) if self._tongue else {}
        return {"length": np.array(self._length), **tongue, **prefixed("estimator", self.estimator.state())}

    def restore(self, state: Arrays) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        tongue = below("tongue", state)
        self.estimator.restore(below("estimator", state))
        self._length = int(state["length"])
        self._tongue = Tongue.restored(tongue) if tongue else None

    def _continued(self, context: Context) -> Context:
        if context.embedding is None or self._tongue is None:
            return replace(context, embedding=None)
        check_length(len(context.embedding), self._length)
        reading = self._tongue.read(context.text)
        return replace(context, embedding=_joined(context.embedding[None], reading[None])[0])


def _joined(embeddings: FloatArray, readings: FloatArray) -> FloatArray:
    """Return embeddings `[n, d]` and readings `[n, r]` side by side, as unit vectors; zeros for one that is missing."""
    both = np.concatenate([_units(embeddings), readings], axis=1)
    return _units(np.where(embeddings.any(axis=1, keepdims=True), both, 0))


def _units(vectors: FloatArray) -> FloatArray:
    lengths = np.sqrt(np.vecdot(vectors, vectors))[:, None]
    usable = np.isfinite(lengths) & (lengths > 0)
    return np.asarray(np.where(usable, vectors, 0) / np.where(usable, lengths, 1), np.float32)
