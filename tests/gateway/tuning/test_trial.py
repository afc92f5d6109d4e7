from __future__ import annotations

import numpy as np
import pytest

from gateway.tuning.parts import Parts
from gateway.tuning.setting import Setting
from gateway.tuning.trial import Trial, run
from routers.types import Outcomes

WEIGHTS = (0.0, 0.5, 1.0)


def specialists(n=24):
    """Return two kinds of requests in turn, a specialist for each, at USD 1 and 2; and three parts."""
    kind = np.arange(n) % 2
    rewards = np.stack([kind == 0, kind == 1], axis=1).astype(np.float32)
    costs = np.tile(np.array([1.0, 2.0], np.float32), (n, 1))
    outcomes = Outcomes(("even", "odd"), np.eye(2, dtype=np.float32)[kind], rewards, costs, np.full_like(costs, np.nan))
    judged = [np.arange(part * n // 3, (part + 1) * n // 3) for part in range(3)]
    learned = [np.setdiff1d(np.arange(n), rows) for rows in judged]
    return Parts(outcomes, tuple(learned), tuple(judged))


def cross_validated(options, parts):
    return run(Trial(4, 7, Setting("knn", options, ()).spec, parts, WEIGHTS))


def test_few_neighbours_tell_kinds_apart():
    """Every request goes to its specialist: quality 1 at USD 1.5 on average, from the cheapest's 0.5 at USD 1."""
    found = cross_validated({"neighbours": 3, "shrinkage": 0}, specialists())

    assert (4, 7) == (found.setting, found.table)
    assert [0.5, 1.0, 1.0] == found.quality.tolist()
    assert [1.0, 1.5, 1.5] == found.cost_usd.tolist()
    assert 0.875 == pytest.approx(found.aiq)  # a rise from 0.5 to 1 over half of the range, then flat
    assert [pytest.approx(0.875)] * 3 == list(found.aiqs)
    assert 0 == pytest.approx(found.squared_error, abs=1e-9)


def test_as_many_neighbours_as_rows_tell_nothing_apart():
    """A reward of a half is expected of either model: a squared error of a quarter, and the cheaper one is asked."""
    parts = specialists()
    parts.outcomes.embeddings[:] = np.array([0.6, 0.8], np.float32)
    found = cross_validated({"neighbours": 100, "shrinkage": 0}, parts)

    assert 0.25 == pytest.approx(found.squared_error)
    assert [pytest.approx(0.25)] * 3 == list(found.squared_errors)
    assert found.aiq < 0.6


def test_a_row_is_never_judged_by_itself():
    """Each row's reward is a draw: remembered it would be certain, and from others it cannot be known."""
    parts = specialists(240)
    parts.outcomes.embeddings[:] = 0
    parts.outcomes.embeddings[:, 0] = 1
    drawn = np.random.default_rng(0).random((240, 2)) < 0.5
    parts.outcomes.rewards[:] = drawn
    found = cross_validated({"neighbours": 1, "shrinkage": 0}, parts)

    assert found.squared_error > 0.2
