"""Bayesian linear models on what a neural network sees in a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.cells import Cells
from routers.estimators.bayesian_linear import BayesianLinear
from routers.estimators.mlp import MLP
from routers.fading import HALF_LIFE_S
from routers.parts import below, prefixed
from routers.rows import usable
from routers.types import Outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from routers.types import Context

    Array = NDArray[np.float64]


class NeuralLinear(BayesianLinear):
    """Estimate rewards by linear models of a network's hidden layer.

    The network is fitted to the tables that are learned, and stays as it is while linear models on top of it learn
    online; before the first table there is none, and every request is alike. Whoever fits it anew begins to sum anew:
    its features are others.

    Parameters: `hidden` units of the network; `epochs` of its training; `max_rows`, after which the oldest rows of
    tables are dropped; the others as of `bayesian_linear`.

    >>> from routers.types import Candidate, Context
    >>> round(float(NeuralLinear().predict([Context("hello", 2)], [Candidate("small")]).mean[0, 0]), 2)
    0.6

    Riquelme, Tucker and Snoek, "Deep Bayesian Bandits Showdown" (https://arxiv.org/abs/1802.09127).
    """

    #: The network is fitted to all rows at once.
    learns_in_batches = True

    def __init__(  # noqa: PLR0913 - each argument is an option
        self,
        hidden: int = 64,
        epochs: int = 20,
        directions: int = 8,
        slope_doubt: float = 0.25,
        half_life_s: float = HALF_LIFE_S,
        table_rows: float = 2000.0,
        *,
        seed: int = 0,
        max_rows: int = 100_000,
    ) -> None:
        self.hidden = hidden
        self.epochs = epochs
        self.max_rows = max_rows
        self._mlp = MLP(hidden, epochs, seed=seed, max_rows=max_rows)
        self.seed = seed
        super().__init__(directions, slope_doubt, half_life_s, table_rows)

    @property
    def width(self) -> int:
        """Return the number of features."""
        return 1 + self.hidden

    def features(self, context: Context) -> Array:
        """Return 1 and the hidden layer, `[1 + hidden]`, scaled to a length of about one."""
        _, network = self._mlp.learned
        found = np.zeros(self.width)
        found[0] = 1.0
        if usable(context.embedding) and network.inner.shape[1] == len(context.embedding):
            hidden = np.maximum(network.inner @ context.embedding.astype(np.float64) + network.offsets, 0)
            found[1:] = hidden / np.sqrt(self.hidden)
        return found

    def learn(self, outcomes: Outcomes) -> None:
        """Fit the network to all rows up to now, and begin the sums anew with those of its features."""
        self._mlp.learn(outcomes)
        self._keep(Cells(), Cells())
        rows, _ = self._mlp.learned
        gap = np.full_like(rows.rewards, np.nan)
        super().learn(Outcomes(rows.models, rows.embeddings, rows.rewards, gap, gap))

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the sums, and the network."""
        return {**super().state(), **prefixed("network", self._mlp.state())}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self._mlp.restore(below("network", state))
        super().restore(state)
