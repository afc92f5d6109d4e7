"""Samples made up, to estimate policies from."""

from __future__ import annotations

import numpy as np

from routers.evaluation.off_policy.sample import Sample


def sample(target, logged, actions, values, seen=None, *, expected=None, clusters=None) -> Sample:
    """Return a sample; by default all is observed, nothing is expected, and no row depends on another."""
    values = np.array(values, float)
    n = len(values)
    spread = (n, np.array(target).shape[-1])
    return Sample(
        target=np.broadcast_to(np.array(target, float), spread).copy(),
        logged=np.broadcast_to(np.array(logged, float), spread).copy(),
        actions=np.array(actions, np.intp),
        values=values,
        seen=np.isfinite(values).astype(float) if seen is None else np.array(seen, float),
        expected=np.zeros(spread) if expected is None else np.broadcast_to(np.array(expected, float), spread).copy(),
        clusters=np.arange(n) if clusters is None else np.array(clusters, np.intp),
    )


def drawn(seed=0, n=400, models=3, rated=1.0) -> Sample:
    """Return a sample of a random policy, logged by another; rewards depend on the model."""
    rng = np.random.default_rng(seed)
    logged = rng.dirichlet(np.full(models, 3.0), n)
    target = rng.dirichlet(np.ones(models), n)
    actions = (logged.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    values = (rng.random(n) < (actions + 1) / (models + 1)).astype(float)
    seen = np.where(rng.random(n) < rated, 1 / rated, 0.0)
    expected = np.tile((np.arange(models) + 1) / (models + 1), (n, 1))
    return sample(target, logged, actions, np.where(seen > 0, values, np.nan), seen, expected=expected)
