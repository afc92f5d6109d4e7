"""The cost of the prompt, and of a completion as long as the model's lately were."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.cells import Cells, joined, spans_summed
from routers.costs.mean import DEFAULT_COMPLETION_TOKENS, TOKENS_PER_PRICE, TYPICAL_PROMPT_TOKENS
from routers.fading import HALF_LIFE_S, Fading
from routers.groups import ANY, group_of
from routers.parts import below, prefixed
from routers.siblings import completion_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.cells import Column
    from routers.observations import Observations
    from routers.sums import Sums
    from routers.types import Candidate, Context, FloatArray, Outcomes

#: A sum keeps costs in thousandths of a USD, which are as coarse as millionths of a cent are not.
_MILLI: Final = 1000.0
#: What a model's mean counts for in a group, in completions.
_SHRINKAGE: Final = 5.0
_PARTS: Final = ("tokens", "usd")


class Running:
    """Expect a request to cost its prompt plus the model's mean completion of late, at the price of today.

    It expects as `mean` does, from what is learned online beside a table: an answer counts half after `half_life_s`
    seconds, a table for at most `table_rows` answers of each model.

    Parameters: `feature` names a signal by whose value completions are told apart (None: by none); `half_life_s`;
    `table_rows`.

    >>> from decimal import Decimal
    >>> from routers.types import Candidate, Context, Outcomes, Price
    >>> tokens = np.array([[100.0], [300.0]], np.float32)
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> costs = Running()
    >>> costs.learn(Outcomes(("small",), np.zeros((2, 4), np.float32), gap, gap, tokens))
    >>> small = Candidate("small", Price(input=Decimal(1), output=Decimal(10)))
    >>> costs.predict([Context("hello", prompt_tokens=1000)], [small, Candidate("unpriced")]).tolist()
    [[0.003, nan]]

    CARROT (https://arxiv.org/abs/2502.03261) on keeping cost and quality apart; ORCH (https://arxiv.org/abs/2602.01797).
    """

    def __init__(
        self, feature: str | None = None, half_life_s: float = HALF_LIFE_S, table_rows: float = 1000.0
    ) -> None:
        if table_rows < 0:
            raise ValueError(f"table_rows={table_rows} must not be negative")
        self._fading = Fading(half_life_s)
        self.feature = feature
        self.half_life_s = half_life_s
        self.table_rows = table_rows
        self._table = {part: Cells() for part in _PARTS}
        self._online = {part: Cells() for part in _PARTS}
        self._keep()

    @property
    def requires(self) -> frozenset[str]:
        """Name the signal by which completions are told apart."""
        return frozenset() if self.feature is None else frozenset({self.feature.partition(".")[0]})

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models of which outcomes were learned."""
        return tuple(sorted({model for part in _PARTS for model in self._known[part].models}))

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return the USD to expect, `[n, m]`; NaN where neither price nor cost is known."""
        groups = [group_of(context, self.feature) for context in contexts]
        lines = {
            group: np.array([self._line(one, group) for one in candidates]).reshape(-1, 2) for group in set(groups)
        }
        rows = [lines[group] @ (1.0, context.prompt_tokens) for group, context in zip(groups, contexts, strict=True)]
        return np.array(rows, np.float64).reshape(len(contexts), len(candidates))

    def reference_usd(self, candidates: Sequence[Candidate]) -> float:
        """Return what an average request costs with the dearest candidate; 0 where no cost is known."""
        lines = (self._line(candidate, None) for candidate in candidates)
        costs = (fixed + per_token * TYPICAL_PROMPT_TOKENS for fixed, per_token in lines)
        return max((cost for cost in costs if not math.isnan(cost)), default=0.0)

    def learn(self, outcomes: Outcomes) -> None:
        """Add a table's completion lengths and costs to the sums."""
        groups = outcomes.tasks if outcomes.tasks and self.feature is not None else (ANY,) * outcomes.n
        columns = {"tokens": outcomes.completion_tokens, "usd": outcomes.costs_usd * _MILLI}
        self._table = {part: self._table[part] + _cells(outcomes.models, groups, columns[part]) for part in _PARTS}
        self._keep()

    def sums(self, observations: Observations) -> Sums:
        """Return the sums of completion lengths and costs; what is unknown adds nothing."""
        groups = [group_of(context, self.feature) or ANY for context in observations.contexts]
        columns = {"tokens": observations.completion_tokens, "usd": observations.costs_usd * _MILLI}
        return joined(self._summed(part, observations, groups, columns[part]) for part in _PARTS)

    def absorb(self, sums: Sums, now: float) -> None:
        """Replace what was learned online by these sums, as they have faded by now."""
        self._online = {part: Cells.faded(sums, part, self._fading, now) for part in _PARTS}
        self._keep()

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the sums, those of tables and those learned online."""
        state: dict[str, NDArray[np.generic]] = {}
        for part in _PARTS:
            state |= prefixed(f"table.{part}", self._table[part].state())
            state |= prefixed(f"online.{part}", self._online[part].state())
        return state

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self._table = {part: Cells.restored(below(f"table.{part}", state)) for part in _PARTS}
        self._online = {part: Cells.restored(below(f"online.{part}", state)) for part in _PARTS}
        self._keep()

    def _summed(self, part: str, observations: Observations, groups: Sequence[str], values: Column) -> Sums:
        rows = np.flatnonzero(~np.isnan(values))
        numbers = np.stack([np.ones(len(rows)), values[rows]], axis=1)
        models = [observations.actions[row] for row in rows.tolist()]
        where = models, [groups[row] for row in rows.tolist()], observations.times[rows]
        return spans_summed(part, self._fading, where, numbers)

    def _keep(self) -> None:
        self._known = {part: self._table[part].at_most(self.table_rows) + self._online[part] for part in _PARTS}
        self._means = {part: _means(self._known[part]) for part in _PARTS}

    def _line(self, candidate: Candidate, group: str | None) -> tuple[float, float]:
        """Return USD per request and USD per prompt token; NaN where they are not known."""
        model, price = candidate.model, candidate.price
        tokens, milli = self._mean_of("tokens", model, group), self._mean_of("usd", model, group)
        if price is None or (tokens is None and milli is not None):
            return math.nan if milli is None else milli / _MILLI, 0.0
        if tokens is None:
            tokens = completion_tokens(model, self._means["tokens"], DEFAULT_COMPLETION_TOKENS)
        return tokens * float(price.output) / TOKENS_PER_PRICE, float(price.input) / TOKENS_PER_PRICE

    def _mean_of(self, part: str, model: str, group: str | None) -> float | None:
        """Return the mean of a model in a group, drawn to its overall mean; None where nothing was observed."""
        mean = self._means[part].get(model)
        here = None if mean is None or group is None else self._known[part].known.get((model, group))
        if here is None or mean is None:
            return mean
        return float((here[1] + _SHRINKAGE * mean) / (here[0] + _SHRINKAGE))


def _means(cells: Cells) -> dict[str, float]:
    known = cells.together().known.items()
    return {model: float(total / count) for (model, _), (count, total) in known if count > 0}


def _cells(models: Sequence[str], groups: Sequence[str], values: FloatArray) -> Cells:
    rows, columns = np.nonzero(~np.isnan(values))
    numbers = np.stack([np.ones(len(rows)), values[rows, columns].astype(np.float64)], axis=1)
    return Cells.of([models[column] for column in columns.tolist()], [groups[row] for row in rows.tolist()], numbers)
