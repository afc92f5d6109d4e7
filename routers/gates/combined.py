"""Several gates: weighed against each other, or all to be passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from routers.calibration.combination import Combination
from routers.types import Naming

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Answer, Candidate, Check, Context, Gate

    Array = NDArray[np.float64]


class Several:
    """What gates made of others share."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        if not gates:
            raise ValueError("gates is empty; name one at least")
        self.gates = tuple(gates)

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that any of them reads."""
        return frozenset().union(*(gate.requires for gate in self.gates))

    @property
    def named(self) -> frozenset[str]:
        """Return the models that their options name."""
        return frozenset().union(*(gate.named for gate in self.gates if isinstance(gate, Naming)))

    @property
    def asks(self) -> Mapping[str, object]:
        """Want what any of them wants; of two that want the same parameter, the later has its way."""
        return {name: value for gate in self.gates for name, value in gate.asks.items()}


class Combined(Several):
    """Weigh the scores of all gates: a logistic regression of their log odds, with a constant for each model.

    Until it has been fitted all weigh alike. Every gate is asked.

    Parameters: `gates`.
    """

    def __init__(self, gates: Sequence[Gate]) -> None:
        super().__init__(gates)
        even = np.full(len(self.gates), 1 / len(self.gates))
        self.combination = Combination(even, 0.0, (), np.zeros(0))

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return the chance that stands for all scores."""
        scores = np.empty((1, len(self.gates)))
        for place, gate in enumerate(self.gates):
            scores[0, place] = yield from gate.check(context, answer, candidates)
        return float(self.combination.chances(scores, [answer.candidate.model])[0])

    def fit(self, scores: Array, models: Sequence[str], rewards: Array) -> None:
        """Replace what was learned by what answers with scores `[r, k]` of the `k` gates came to.

        Raises `ValueError` for scores of another number of gates.
        """
        if scores.shape[1] != len(self.gates):
            raise ValueError(f"there are scores of {scores.shape[1]} gates, and {len(self.gates)} gates")
        self.combination = Combination.fit(scores, models, rewards)

    @property
    def is_fitted(self) -> bool:
        """Tell whether it has been fitted to anything."""
        return bool(self.combination.models)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return what was learned, as arrays."""
        return self.combination.state()

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned by what `state` returned. Raises `KeyError`, also for another number of gates."""
        restored = Combination.restored(state)
        if len(restored.weights) != len(self.gates):
            raise KeyError(f"weights of {len(self.gates)} gates")
        self.combination = restored


class AllOf(Several):
    """Let an answer through that passes every gate: the product of their chances, or the least of them.

    Gates are asked in their order, and no further than the first that leaves no more than `least`. So validators,
    which cost nothing, come first: a malformed answer never reaches a judge.

    Parameters: `gates`; `combine`, `product` or `min`; `least` in [0, 1).
    """

    def __init__(
        self, gates: Sequence[Gate], combine: Literal["product", "min"] = "product", least: float = 0.0
    ) -> None:
        super().__init__(gates)
        if combine not in {"product", "min"} or not 0 <= least < 1:
            raise ValueError(f"{combine=} must be product or min, and {least=} in [0, 1)")
        self.combine, self.least = combine, least

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return the chance of passing all."""
        chance = 1.0
        for gate in self.gates:
            found = yield from gate.check(context, answer, candidates)
            chance = chance * found if self.combine == "product" else min(chance, found)
            if chance <= self.least:
                break
        return chance
