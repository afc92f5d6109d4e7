"""A neural network: one hidden layer from the request's embedding to the rewards of all models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.descent import adam, minibatches
from routers.fit import Fitted, learnable
from routers.network import Lesson, Network

if TYPE_CHECKING:
    from routers.rows import Rows

#: Rows a step.
_BATCH = 64


class MLP(Fitted[Network]):
    """Estimate the rewards of all models by one neural network with a hidden layer.

        hidden = max(A x + a, 0),  mean = 1 / (1 + exp(-(B hidden + b)))

    The models share the hidden layer, so that what tells requests apart is learned from all of them. Trained
    are the weights by AdamW on the cross-entropy of the rewards observed, beginning with each model's mean.

    The standard error takes the hidden layer as given, and is that of the Laplace approximation of the last one
    (see `Logistic`) under a penalty by which the log-odds are thought to vary by about two between requests. It
    does not count what too strong a decay or too short a training left unlearned.

    A request without an embedding gets the model's mean; a model never observed 0.5 with an error of 0.5.

    Parameters: `hidden`, how many hidden units; `epochs`, how often each row is seen; `learning_rate`, how far a
    step goes; `weight_decay`, how strongly the weights are drawn towards zero, which leaves the models' means;
    `seed`, of the first weights and the order of rows; `max_rows`, after which the oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> mlp = MLP(hidden=8, epochs=300, learning_rate=0.01, weight_decay=0.0)
    >>> mlp.learn(Outcomes(("small",), np.array([[1, 0], [-1, 0]]), np.array([[1.0], [0.0]]), gap, gap))
    >>> like_the_first = Context("hello", 2, embedding=np.array([1, 0], np.float32))
    >>> bool(mlp.predict([like_the_first], [Candidate("small")]).mean[0, 0] > 0.9)
    True

    RouterBench's MLP router (https://arxiv.org/abs/2403.12031); AdamW (https://arxiv.org/abs/1711.05101); the
    Laplace approximation of the last layer (https://arxiv.org/abs/2106.14806).
    """

    def __init__(
        self,
        hidden: int = 128,
        epochs: int = 20,
        learning_rate: float = 0.001,
        weight_decay: float = 10.0,
        seed: int = 0,
        max_rows: int = 100_000,
    ) -> None:
        for name, count in (("hidden", hidden), ("epochs", epochs)):
            if count < 1:
                raise ValueError(f"{name}={count} must be at least 1")
        if not 0 < learning_rate < np.inf:
            raise ValueError(f"learning_rate={learning_rate} must be above 0")
        if not 0 <= weight_decay * learning_rate < 1:
            raise ValueError(f"weight_decay={weight_decay} times learning_rate={learning_rate} must be from 0 to 1")
        if seed < 0:
            raise ValueError(f"seed={seed} must not be negative")
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.seed = seed
        super().__init__(Network, max_rows)

    def _fitted(self, rows: Rows) -> Network:
        observed = learnable(rows)
        used = observed.any(axis=1)
        lesson = Lesson.of(rows.embeddings[used], rows.rewards[used], observed[used])
        rng = np.random.default_rng(self.seed)
        start = lesson.start(self.hidden, rng)
        batches = minibatches(len(lesson.points), _BATCH, self.epochs, rng)
        found = adam(start, lesson.gradient, batches, learning_rate=self.learning_rate, weight_decay=self.weight_decay)
        return lesson.network(found)
