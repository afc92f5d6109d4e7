"""What would each candidate's answer cost?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, Outcomes

#: Completion tokens expected of a model of which none were observed.
DEFAULT_COMPLETION_TOKENS = 256.0
#: Prompt tokens of the average request, by which the price of money is scaled.
TYPICAL_PROMPT_TOKENS = 256

_TOKENS_PER_PRICE = 1_000_000


class CostHead:
    """Expect a request to cost its prompt plus the model's mean completion, at the price of today.

    Only completion lengths are learned, so a price can change without fitting anew. A model without a
    price is expected to cost what it cost on average; one with neither is unknown, which is not zero.

    >>> from decimal import Decimal
    >>> from routers.types import Candidate, Context, Outcomes, Price
    >>> tokens = np.array([[100.0], [300.0]], np.float32)
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> costs = CostHead()
    >>> costs.learn(Outcomes(("small",), np.zeros((2, 4), np.float32), gap, gap, tokens))
    >>> small = Candidate("small", Price(input=Decimal(1), output=Decimal(10)))
    >>> costs.expected_cost_usd(Context("hello", prompt_tokens=1000), small)
    0.003
    >>> costs.expected_cost_usd(Context("hello", 1000), Candidate("unpriced")) is None
    True

    CARROT (https://arxiv.org/abs/2502.03261) on keeping cost and quality apart.
    """

    def __init__(self) -> None:
        self._tokens = Tally.empty()
        self._costs = Tally.empty()

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models of which outcomes were learned."""
        return self._costs.models

    def expected_cost_usd(self, context: Context, candidate: Candidate) -> float | None:
        """Return the cost to expect in USD; None where neither price nor cost is known."""
        return self._expected(context.prompt_tokens, candidate)

    def reference_cost_usd(self, candidates: Sequence[Candidate]) -> float | None:
        """Return what an average request costs with the dearest candidate; None where no cost is known."""
        costs = [self._expected(TYPICAL_PROMPT_TOKENS, candidate) for candidate in candidates]
        return max((cost for cost in costs if cost is not None), default=None)

    def learn(self, outcomes: Outcomes) -> None:
        """Add the completion lengths and costs to the sums."""
        self._tokens += Tally.of(outcomes.models, outcomes.completion_tokens)
        self._costs += Tally.of(outcomes.models, outcomes.costs_usd)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the models and the moments of their completion lengths and costs."""
        names = np.array(self._costs.models, dtype=np.str_)
        return {"models": names, "tokens": self._tokens.moments, "costs": self._costs.moments}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        models = tuple(state["models"].tolist())
        tokens, costs = state["tokens"].astype(np.float64), state["costs"].astype(np.float64)
        self._tokens, self._costs = Tally(models, tokens), Tally(models, costs)

    def _expected(self, prompt_tokens: int, candidate: Candidate) -> float | None:
        if (price := candidate.price) is None:
            return self._costs.mean_of(candidate.model)
        completion_tokens = self._tokens.mean_of(candidate.model)
        if completion_tokens is None:
            observed = self._costs.mean_of(candidate.model)
            if observed is not None:
                return observed
            completion_tokens = DEFAULT_COMPLETION_TOKENS
        total = prompt_tokens * float(price.input) + completion_tokens * float(price.output)
        return total / _TOKENS_PER_PRICE
