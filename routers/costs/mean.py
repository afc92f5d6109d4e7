"""The cost of the prompt, and of a completion of the usual length."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from routers.siblings import completion_tokens
from routers.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, Outcomes

    _Lines = tuple[NDArray[np.float64], NDArray[np.float64], float]

#: Completion tokens expected of a model of which none were observed.
DEFAULT_COMPLETION_TOKENS = 256.0
#: Prompt tokens of the average request, by which the price of money is scaled.
TYPICAL_PROMPT_TOKENS = 256
#: Pools whose prices are kept at hand.
MAX_POOLS = 256
#: A price is for so many tokens.
TOKENS_PER_PRICE = 1_000_000


class Mean:
    """Expect a request to cost its prompt plus the model's mean completion, at the price of today.

    Only completion lengths are learned, so a price can change without fitting anew. A model without a
    price is expected to cost what it cost on average; one with neither is unknown, which is not zero.

    >>> from decimal import Decimal
    >>> from routers.types import Candidate, Context, Outcomes, Price
    >>> tokens = np.array([[100.0], [300.0]], np.float32)
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> costs = Mean()
    >>> costs.learn(Outcomes(("small",), np.zeros((2, 4), np.float32), gap, gap, tokens))
    >>> small = Candidate("small", Price(input=Decimal(1), output=Decimal(10)))
    >>> costs.predict([Context("hello", prompt_tokens=1000)], [small, Candidate("unpriced")]).tolist()
    [[0.003, nan]]

    CARROT (https://arxiv.org/abs/2502.03261) on keeping cost and quality apart.
    """

    requires: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._keep(Tally.empty(), Tally.empty())

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models of which outcomes were learned."""
        return self._costs.models

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return the USD to expect, `[n, m]`; NaN where neither price nor cost is known."""
        fixed, per_token, _ = self._lines(candidates)
        prompts = np.array([[context.prompt_tokens] for context in contexts], np.float64).reshape(-1, 1)
        return np.asarray(fixed + per_token * prompts)

    def reference_usd(self, candidates: Sequence[Candidate]) -> float:
        """Return what an average request costs with the dearest candidate; 0 where no cost is known."""
        return self._lines(candidates)[2]

    def learn(self, outcomes: Outcomes) -> None:
        """Add the completion lengths and costs to the sums."""
        models = outcomes.models
        tokens, costs = Tally.of(models, outcomes.completion_tokens), Tally.of(models, outcomes.costs_usd)
        self._keep(self._tokens + tokens, self._costs + costs)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the models and the moments of their completion lengths and costs."""
        names = np.array(self._costs.models, dtype=np.str_)
        return {"models": names, "tokens": self._tokens.moments, "costs": self._costs.moments}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        models = tuple(state["models"].tolist())
        tokens, costs = state["tokens"].astype(np.float64), state["costs"].astype(np.float64)
        self._keep(Tally(models, tokens), Tally(models, costs))

    def _keep(self, tokens: Tally, costs: Tally) -> None:
        """Keep the sums, and the means of those observed by model: every request asks for them."""
        self._tokens, self._costs = tokens, costs
        self._mean_tokens, self._mean_usd = _means(tokens), _means(costs)
        self._pools: dict[tuple[str, ...], tuple[tuple[Candidate, ...], _Lines]] = {}

    def _lines(self, candidates: Sequence[Candidate]) -> _Lines:
        """Return USD per request and per prompt token, each `[m]`, and what an average request costs at most.

        A gateway asks for the same few pools over and over, and a `Decimal` is slow to multiply.
        """
        pool, names = tuple(candidates), tuple([candidate.model for candidate in candidates])
        known = self._pools.get(names)
        if known is not None and known[0] == pool:
            return known[1]
        lines = np.array([self._line(candidate) for candidate in pool]).reshape(-1, 2)
        usual = lines[:, 0] + lines[:, 1] * TYPICAL_PROMPT_TOKENS
        found = lines[:, 0], lines[:, 1], max((usd for usd in usual.tolist() if not math.isnan(usd)), default=0.0)
        if len(self._pools) >= MAX_POOLS:
            self._pools = {}
        self._pools[names] = pool, found
        return found

    def _line(self, candidate: Candidate) -> tuple[float, float]:
        """Return USD per request and USD per prompt token; NaN where they are not known."""
        model, price = candidate.model, candidate.price
        if price is None or (model not in self._mean_tokens and model in self._mean_usd):
            return self._mean_usd.get(model, math.nan), 0.0
        length = completion_tokens(model, self._mean_tokens, DEFAULT_COMPLETION_TOKENS)
        return length * float(price.output) / TOKENS_PER_PRICE, float(price.input) / TOKENS_PER_PRICE


def _means(tally: Tally) -> dict[str, float]:
    """Return the means of the models that were observed."""
    return {model: mean for model, mean, n in zip(tally.models, tally.mean.tolist(), tally.count, strict=True) if n > 0}
