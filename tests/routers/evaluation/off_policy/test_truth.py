"""Do the intervals hold the truth? `python benchmarks/off_policy.py` asks that of real tables, and more often."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[4] / "benchmarks"))
from off_policy_trials import Trials, run, summary


@dataclass(frozen=True)
class World:
    """As the benchmark's, without a file: `n` requests of two dimensions that count."""

    embeddings: np.ndarray
    tokens: np.ndarray
    rewards: np.ndarray
    costs: np.ndarray
    logging: np.ndarray
    targets: dict[str, np.ndarray]


def one_of(models: np.ndarray) -> np.ndarray:
    return np.eye(4)[models]


def world(n=1500, seed=0) -> World:
    """Three models that are good at different things, and one that the log never tries."""
    rng = np.random.default_rng(seed)
    points, tokens = rng.normal(size=(n, 6)), rng.lognormal(6, 1, n)
    chances = 1 / (1 + np.exp(-np.column_stack([points[:, 0], 0.5 + points[:, 1], 1 - points[:, 0], points[:, 2]])))
    rewards = (rng.random((n, 4)) < chances).astype(float)
    costs = np.outer(tokens, [1.0, 3.0, 10.0, 2.0]) * rng.lognormal(0, 0.3, (n, 4))
    best = one_of(chances[:, :3].argmax(axis=1))
    logging = 0.04 * np.array([1, 1, 1, 0]) + 0.88 * one_of((points[:, 0] < 0).astype(int))
    targets = {
        "best": best,
        "dearest": one_of(np.full(n, 2)),
        "second": one_of(np.full(n, 1)),
        "mixed": 0.5 * best + 0.5 * logging,
        "long ones": one_of(np.where(tokens > 400, 0, 1)),
        "never tried": one_of(np.full(n, 3)),
    }
    return World(points.astype(np.float32), tokens, rewards, costs, logging, targets)


@pytest.fixture(scope="module")
def judged():
    return run(world(), Trials(requests=3000, repetitions=30, seed=1))


@pytest.mark.parametrize("quantity", ["quality", "cost"])
@pytest.mark.parametrize("method", ["snips", "dr"])
def test_intervals_hold_the_truth(judged, quantity, method):
    """About as often as they say: values, and changes against what ran."""
    found = summary(judged, quantity, method)

    for kind in ("coverage", "relative", "difference"):
        assert 0.88 <= found[kind] <= 1.0
    assert found["least"] >= 0.8


def test_expectations_make_estimates_better(judged):
    """Doubly robust is nearer to the truth than weights alone."""
    for quantity in ("quality", "cost"):
        assert summary(judged, quantity, "dr")["rmse"] < 0.8 * summary(judged, quantity, "ips")["rmse"]


def test_the_mean_of_the_log_is_no_estimate(judged):
    """It fails the very test that the others pass."""
    for quantity in ("quality", "cost"):
        assert summary(judged, quantity, "naive")["coverage"] < 0.5


def test_what_the_log_cannot_tell_is_refused(judged):
    """All of it, always, and nothing else, but for what is near the edge now and then."""
    refused = {one["policy"]: one["refused"] for one in judged}

    assert refused.pop("never tried") == 1.0
    assert max(refused.values()) < 0.2


def test_few_ratings_widen_intervals_and_do_not_bend_them():
    """Where models are rated more often or less, and the last tenth of the log is too young to be."""
    found = run(world(), Trials(requests=3000, repetitions=20, rated=0.4, seed=2))

    for method in ("snips", "dr"):
        assert 0.85 <= summary(found, "quality", method)["coverage"] <= 1.0
