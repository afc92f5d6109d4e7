"""What outcomes of one effort of a model tell of another: `PYTHONPATH=. python benchmarks/efforts.py` (five minutes).

Five models answer requests as a logistic model has it: each has a level and a direction of its own, and the second is
the first at another effort, whose level and direction differ from the first's by a share of what models differ by. Of
the first 400 outcomes are known, of the second `n`. It is learned once under a name that says so, and once as a model
of its own; what is printed is the root mean square error of the chances expected of it, over worlds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.estimators.bayesian_linear import BayesianLinear
from routers.estimators.irt import IRT
from routers.types import Candidate, Context, Outcomes

if TYPE_CHECKING:
    from collections.abc import Callable

    from routers.types import Estimator, FloatArray

D, ROWS, TESTED = 16, 400, 300
NAMES = ("m@low", "m@high", "n", "o", "p")
LEARNERS: tuple[tuple[str, Callable[[], Estimator], int], ...] = (
    ("bayesian_linear", BayesianLinear, 30),
    ("irt", IRT, 6),
)


class World:
    """Models and requests of one seed; `apart` is how far the two efforts differ."""

    def __init__(self, seed: int, apart: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.levels = self.rng.normal(0, 1, len(NAMES))
        self.levels[1] = self.levels[0] + self.rng.normal(0, apart)
        self.own = self.rng.normal(0, 0.8, (len(NAMES), D))
        self.own[1] = self.own[0] + self.rng.normal(0, 0.8 * apart, D)
        self.hard = self.rng.normal(0, 1.5, D)

    def requests(self, n: int) -> FloatArray:
        """Return embeddings, unit vectors `[n, D]`."""
        vectors = self.rng.standard_normal((n, D))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def chances(self, requests: FloatArray) -> FloatArray:
        """Return the chance that each model is right, `[n, m]`."""
        margins = self.levels + requests @ self.own.T - (requests @ self.hard)[:, None]
        return (1 / (1 + np.exp(-margins))).astype(np.float32)


def error(make: Callable[[], Estimator], world: World, n: int, name: str) -> float:
    """Return the error on the second effort, learned under a name from `n` outcomes."""
    requests = world.requests(ROWS)
    rewards = (world.rng.random((ROWS, len(NAMES))) < world.chances(requests)).astype(np.float32)
    rewards[n:, 1] = np.nan
    gap = np.full_like(rewards, np.nan)
    estimator = make()
    estimator.learn(Outcomes((NAMES[0], name, *NAMES[2:]), requests, rewards, gap, gap))
    tested = world.requests(TESTED)
    expected = estimator.predict([Context("", 1, one) for one in tested], [Candidate(name)]).mean[:, 0]
    return float(np.sqrt(((expected - world.chances(tested)[:, 1]) ** 2).mean()))


def main() -> None:
    """Print the table of docs/plans/effort.md."""
    print("| estimator | efforts differ by | outcomes | alone | beside the other |\n|---|---|---|---|---|")
    for learner, make, worlds in LEARNERS:
        for apart in (0.2, 0.5):
            for n in (1, 5, 20, 100, 400):
                alone, akin = (
                    np.mean([error(make, World(seed, apart), n, name) for seed in range(worlds)])
                    for name in ("stranger", NAMES[1])
                )
                print(f"| `{learner}` | {apart:g} | {n} | {alone:.3f} | {akin:.3f} |", flush=True)


if __name__ == "__main__":
    main()
