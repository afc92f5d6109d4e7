from __future__ import annotations

import pickle

import numpy as np

from gateway.evaluation.folds import Folds
from gateway.evaluation.jobs import fit_and_replay, has_seed, jobs_of, latency_us, leave_out, replays, robustness
from gateway.evaluation.names import Named
from routers.fixed import Fixed
from routers.types import Call, Candidate, Context, Finish, Outcomes

WEIGHTS = (0.0, 0.5, 1.0)
KNN = {"type": "estimating", "estimator": {"type": "knn", "neighbours": 5}, "rule": {"type": "greedy", "floor": 0}}
THOMPSON = {**KNN, "rule": {"type": "thompson", "floor": 0}}


def outcomes(n=40):
    """Return two tasks in turn, with a specialist each."""
    side = np.arange(n) % 2
    rewards = np.stack([1 - side, side], axis=1).astype(np.float32)
    costs = np.tile(np.array([1.0, 2.0], np.float32), (n, 1))
    tasks = tuple("odd" if one else "even" for one in side)
    return Outcomes(
        ("a", "b"), np.eye(2, dtype=np.float32)[side], rewards, costs, np.full_like(costs, np.nan), tasks=tasks
    )


def jobs(spec, seeds=3, paraphrases=()):
    return jobs_of(0, Named("it", spec), Folds(outcomes(), outcomes(20), paraphrases), WEIGHTS, seeds)


def test_what_draws_nothing_is_fitted_and_replayed_once():
    """A second seed would be the same again."""
    (job,) = jobs(KNN)
    found = fit_and_replay(job)

    assert ((0,), 1, 3) == (found.seeds, len(found.sweeps), len(found.sweeps[0].quality))
    assert 1.0 == found.sweeps[0].points[1][-1]


class Lucky:
    """Ask one by chance, then another by chance, and return that."""

    def plan(self, context, candidates, rng):
        """Make two calls."""
        del context
        for _ in range(2):
            (answer,) = yield Call((rng.choice(candidates),), {"a": 0.5, "b": 0.5}, "lucky")
        return Finish(answer)


def test_what_is_luck_is_replayed_for_each_seed():
    """And an even choice is none: its expectation is known."""
    found = replays(Lucky(), outcomes().contexts(), outcomes(), WEIGHTS, (0, 1, 2))

    assert 3 == len(found)
    assert found[0].cost_usd.tolist() != found[1].cost_usd.tolist()
    assert (0,) == fit_and_replay(jobs({"type": "random"})[0]).seeds


def test_what_has_a_seed_is_fitted_for_each():
    """One job a seed, so that they can be done side by side."""
    assert [(0,), (1,), (2,)] == [job.seeds for job in jobs(THOMPSON)]
    assert [0, 1, 2] == [job.spec["rule"]["seed"] for job in jobs(THOMPSON)]
    assert (True, False) == (has_seed(THOMPSON), has_seed(KNN))


def test_a_job_can_be_sent_to_another_process():
    """As can its result."""
    (job,) = jobs(KNN)
    result = fit_and_replay(pickle.loads(pickle.dumps(job)))  # noqa: S301 - what this test pickled itself

    assert result.sweeps[0].quality.tolist() == pickle.loads(pickle.dumps(result)).sweeps[0].quality.tolist()  # noqa: S301


def test_each_task_is_routed_by_what_was_learned_without_it():
    """Who never saw the odd ones sends them to the specialist of the even ones, and is always wrong."""
    parts = leave_out(jobs(KNN)[0])

    assert ["even", "odd"] == [part.task for part in parts]
    assert [[0.0], [0.0]] == [part.sweep.quality[-1:].mean(axis=1).tolist() for part in parts]


def test_decisions_that_a_paraphrase_changes_are_counted():
    """Two of three paraphrases point elsewhere than their requests."""
    even, odd = (Context("x", 1, vector) for vector in np.eye(2, dtype=np.float32))
    (job,) = jobs({**KNN, "quality_weight": 1}, paraphrases=((0, even), (1, even), (2, odd)))

    assert 1 / 3 == fit_and_replay(job).robustness
    assert robustness(Fixed("a"), [even], [], [Candidate("a")]) is None


def test_the_time_of_a_decision_is_read_from_the_clock():
    """Ticks of a millisecond: each decision lies between two."""
    ticks = iter(range(100))
    median, late = latency_us(Fixed("a"), [Context("x", 1)] * 5, [Candidate("a")], lambda: next(ticks) / 1000)

    assert (1000, 1000) == (round(median), round(late))
