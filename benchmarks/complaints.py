"""What is learned of three models from implicit feedback, with and without the sign that nobody complained.

    OMP_NUM_THREADS=1 python benchmarks/complaints.py

The models' answers are good in 55, 65 and 75 % of cases; a quarter of bad answers and 3 % of good ones are asked for
again, of the others 60 % go on. A share of all answers is rated. Each model answers 4,000 requests. Printed: the mean
reward that is learned of each, the distance between the first and the last (0.20 in truth), and how often their order
is right, over 200 runs.
"""

from __future__ import annotations

import numpy as np

GOOD, RUNS, N = (0.55, 0.65, 0.75), 200, 4000
AGAIN_GOOD, AGAIN_BAD, GOES_ON = 0.03, 0.25, 0.6
RETRY, TRUST = 0.2, 0.2


def learned(rng: np.random.Generator, good: float, rated: float, continued: float | None) -> float:
    """Return the mean reward of a model: of each answer the mean of its voices, weighed by the most trusted one."""
    right = rng.random(N) < good
    rates = rng.random(N) < rated
    again = rng.random(N) < np.where(right, AGAIN_GOOD, AGAIN_BAD)
    on = ~again & (rng.random(N) < GOES_ON) & (continued is not None)
    weights = rates + TRUST * (again | on)
    said = rates * right + TRUST * (again * RETRY + on * (continued or 0.0))
    heard = weights > 0
    if not heard.any():
        return float("nan")
    values, trust = said[heard] / weights[heard], np.where(rates, 1.0, TRUST)[heard]
    return float((values * trust).sum() / trust.sum())


def main() -> None:
    """Print a row for each share of ratings and each value of the sign."""
    rng = np.random.default_rng(0)
    for rated in (0.0, 0.005, 0.02, 0.1):
        for continued in (None, 0.6, 0.7, 0.8):
            runs = np.array([[learned(rng, good, rated, continued) for good in GOOD] for _ in range(RUNS)])
            order = ((np.diff(runs, axis=1)) > 0).all(axis=1).mean()
            means, distance = runs.mean(axis=0).round(3), (runs[:, 2] - runs[:, 0]).mean()
            print(f"rated {rated:6.1%}  continued {continued!s:5}  {means}  distance {distance:.2f}  order {order:.0%}")


if __name__ == "__main__":
    main()
