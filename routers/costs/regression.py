"""The cost of an answer whose length is predicted from the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread
from routers.costs.history import History
from routers.costs.mean import TOKENS_PER_PRICE, Mean
from routers.parts import below, prefixed
from routers.rows import check_length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, FloatArray, Outcomes

    Matrix = NDArray[np.float64]

#: What a cost of zero counts as, so that it has a logarithm.
LEAST_USD = 1e-12
#: Beyond it a prediction is cut anyway, and its exponential would be infinite.
GREATEST_LOGARITHM = 50.0


@dataclass(frozen=True, slots=True)
class _Fit:
    """A regression of a logarithm for each of `m` models; its intercept is NaN for one that was not observed.

    `terms` is `[4 + f, m]`: the intercept, the factor that undoes the logarithm's bias, the least and the greatest
    value seen, and a slope for each of `f` features.
    """

    terms: Matrix

    @classmethod
    def of(cls, features: Matrix, values: FloatArray, alpha: float, *, plus: float) -> _Fit:
        """Fit `log(values + plus)`, values being `[n, m]` with NaN where not observed, to features `[n, f]`."""
        terms = np.zeros((4 + features.shape[1], values.shape[1]))
        terms[0] = np.nan
        observed = ~np.isnan(values)
        for pattern in np.unique(observed, axis=1).T if values.size else ():
            if pattern.any():  # models observed on the same rows share the work
                columns = (observed == pattern[:, None]).all(axis=0)
                terms[:, columns] = _terms(features[pattern], values[np.ix_(pattern, columns)], alpha, plus)
        return cls(terms)

    def predict(self, features: Matrix, *, plus: float) -> Matrix:
        """Return the values to expect, `[n, m]`, within the range of those seen; NaN for a model not observed."""
        intercept, factor, least, greatest = self.terms[:4]
        logarithms = np.minimum(features @ self.terms[4:] + intercept, GREATEST_LOGARITHM)
        return np.asarray(np.clip(np.exp(logarithms) * factor - plus, least, greatest))


class Regression:
    """Expect a request to cost its prompt plus a completion whose length is predicted from the request.

    For each model the logarithm of one more than the completion's tokens is regressed on the embedding and on the
    logarithm of the prompt's tokens, with a ridge; the intercept is free, so that a model with few rows is expected
    to write what it wrote on average. Since the mean of a logarithm is not the logarithm of the mean,

        tokens = exp(intercept + slopes * features) * mean(exp(residual)) - 1

    cut to the range of lengths seen (Duan's smearing factor). A candidate without a price, or a model whose tokens
    nobody counted, has the logarithm of its cost regressed in the same way. Of a model never observed, and for what
    an average request costs, `Mean` is asked. A signal that is missing counts as its mean.

    Parameters: `alpha`, the weight of the ridge, in rows; `max_rows`, after which the oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((4, 1), np.nan, np.float32)
    >>> usd = np.array([[0.01], [0.01], [0.04], [0.04]], np.float32)
    >>> table = Outcomes(("small",), np.zeros((4, 2), np.float32), gap, usd, gap, prompt_tokens=(10, 10, 1000, 1000))
    >>> costs = Regression(alpha=0.01)
    >>> costs.learn(table)
    >>> costs.predict([Context("", prompt_tokens=100)], [Candidate("small")]).round(3).tolist()
    [[0.02]]

    CARROT (https://arxiv.org/abs/2502.03261); Duan, "Smearing Estimate" (JASA 78, 1983).
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(self, alpha: float = 3.0, max_rows: int = 100_000) -> None:
        if not alpha > 0:
            raise ValueError(f"alpha={alpha} must be positive")
        if max_rows < 1:
            raise ValueError(f"max_rows={max_rows} must be at least 1")
        self.alpha = alpha
        self.max_rows = max_rows
        self._mean = Mean()
        self._history = History.empty()
        self._centre = np.zeros(1)
        self._tokens = self._costs = _Fit(np.zeros((5, 0)))

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models of which outcomes were learned."""
        return self._mean.models

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Matrix:
        """Return the USD to expect, `[n, m]`; NaN where neither price nor cost is known.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        if not len(self._history):
            return self._mean.predict(contexts, candidates)
        features = self._features_of(contexts)
        models, onto = self._history.models, [candidate.model for candidate in candidates]
        tokens = spread(self._tokens.predict(features, plus=1), models, onto, np.nan)
        costs = spread(self._costs.predict(features, plus=LEAST_USD), models, onto, np.nan)
        prompts = np.array([[context.prompt_tokens] for context in contexts])
        per_prompt, per_completion = _prices(candidates)
        priced = prompts * per_prompt + tokens * per_completion
        predicted = np.where(np.isnan(priced), costs, priced)
        gaps = np.isnan(predicted)
        return np.where(gaps, self._mean.predict(contexts, candidates), predicted) if gaps.any() else predicted

    def reference_usd(self, candidates: Sequence[Candidate]) -> float:
        """Return what an average request costs with the dearest candidate; 0 where no cost is known."""
        return self._mean.reference_usd(candidates)

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, drop the oldest beyond `max_rows`, and fit again.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        self._history = self._history.append(outcomes, self.max_rows)
        self._mean.learn(outcomes)
        history = self._history
        self._centre, features = _centred(history.embeddings, history.prompt_tokens)
        self._tokens = _Fit.of(features, history.completion_tokens, self.alpha, plus=1)
        self._costs = _Fit.of(features, history.costs_usd, self.alpha, plus=LEAST_USD)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows, what was fitted to them, and the means."""
        fitted = {"centre": self._centre, "tokens": self._tokens.terms, "costs": self._costs.terms}
        return dict(self._history.state()) | prefixed("fit", fitted) | prefixed("mean", self._mean.state())

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        fitted = {name: array.astype(np.float64) for name, array in below("fit", state).items()}
        self._mean.restore(below("mean", state))
        self._history = History.restored(state, self.max_rows)
        self._centre = fitted["centre"]
        self._tokens, self._costs = _Fit(fitted["tokens"]), _Fit(fitted["costs"])

    def _features_of(self, contexts: Sequence[Context]) -> Matrix:
        """Return the centred features `[n, d + 1]`; zero where a signal is missing."""
        features = np.zeros((len(contexts), len(self._centre)))
        for row, context in zip(features, contexts, strict=True):
            if context.embedding is not None:
                check_length(len(context.embedding), len(self._centre) - 1)
                row[:-1] = context.embedding - self._centre[:-1]
            row[-1] = np.log1p(context.prompt_tokens) - self._centre[-1]
        return features


def _centred(embeddings: FloatArray, prompt_tokens: FloatArray) -> tuple[Matrix, Matrix]:
    """Return the features' means `[f]`, and their distances from them `[n, f]`: zero where one is missing."""
    features = np.column_stack([embeddings, np.log1p(prompt_tokens)]).astype(np.float64)
    features[~embeddings.any(axis=1), :-1] = np.nan
    known = ~np.isnan(features)
    centre = np.where(known, features, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return centre, np.where(known, features - centre, 0)


def _terms(features: Matrix, values: FloatArray, alpha: float, plus: float) -> Matrix:
    """Fit one ridge to each column of `values` `[n, m]`, without gaps; return the terms `[4 + f, m]`."""
    logarithms = np.log(np.maximum(values.astype(np.float64), 0) + plus)
    feature_mean, mean = features.mean(axis=0), logarithms.mean(axis=0)
    centred = features - feature_mean
    gram = centred.T @ centred + alpha * np.eye(features.shape[1])
    slopes = np.linalg.solve(gram, centred.T @ (logarithms - mean))
    factor = np.exp(logarithms - mean - centred @ slopes).mean(axis=0)
    return np.vstack([mean - feature_mean @ slopes, factor, values.min(axis=0), values.max(axis=0), slopes])


def _prices(candidates: Sequence[Candidate]) -> tuple[Matrix, Matrix]:
    """Return USD per prompt token and per completion token, each `[m]`; NaN where there is no price."""
    prices = [candidate.price for candidate in candidates]
    both = [(np.nan, np.nan) if price is None else (float(price.input), float(price.output)) for price in prices]
    table = np.array(both, np.float64).reshape(-1, 2) / TOKENS_PER_PRICE
    return table[:, 0], table[:, 1]
