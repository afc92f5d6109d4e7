"""REINFORCE, off-policy where somebody else chose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.barp.actor import Actor, allowed
from routers.descent import adam, minibatches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.barp.actor import Parameters
    from routers.barp.lessons import Lessons

    Array = NDArray[np.float64]

#: Rows of a step.
BATCH: Final = 32
#: A row counts at most this many times for having been unlikely.
CLIP: Final = 5.0


@dataclass(frozen=True, slots=True)
class Teaching:
    """How a policy is taught: `entropy` rewards it for staying open, `cap_usd` is what a cost is measured by."""

    epochs: int
    learning_rate: float
    entropy: float
    cap_usd: float
    seed: int


def taught(actor: Actor, lessons: Lessons, teaching: Teaching) -> Actor:
    """Return a policy after it went through lessons, preferences being drawn anew for each step.

        loss = -ratio * (reward - value) * log pi(action) - entropy * H(pi) + (value - reward)^2 / 2

    with the reward `w_quality * q - w_cost * min(c / cap, 1)`. Where several models were observed, the action is drawn
    from the policy among them; else it is the one observed, and `ratio` is how much likelier the policy makes it than
    whoever chose, clipped.

    Williams, "Simple statistical gradient-following algorithms" (Machine Learning 8, 1992).
    """
    rng = np.random.default_rng(teaching.seed)

    def gradient(parameters: Parameters, rows: NDArray[np.intp]) -> Parameters:
        quality = rng.random(len(rows))
        weights = np.stack([quality, 1 - quality], axis=1)
        given = actor.layers(parameters, lessons.embeddings[rows], weights)
        slopes = _slopes(_batch(lessons, rows), weights, (given.logits, given.values), teaching, rng)
        return actor.gradient(parameters, given, weights, slopes)

    batches = minibatches(lessons.n, BATCH, teaching.epochs, rng)
    return replace(actor, parameters=adam(actor.parameters, gradient, batches, learning_rate=teaching.learning_rate))


def _batch(lessons: Lessons, rows: NDArray[np.intp]) -> Lessons:
    return replace(
        lessons,
        embeddings=lessons.embeddings[rows],
        rewards=lessons.rewards[rows],
        costs_usd=lessons.costs_usd[rows],
        propensities=lessons.propensities[rows],
        trust=lessons.trust[rows],
    )


def _slopes(
    batch: Lessons, weights: Array, answers: tuple[Array, Array], teaching: Teaching, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the slopes of the mean loss by logits and by values."""
    logits, values = answers
    logged = ~np.isnan(batch.propensities)
    policy = allowed(logits, batch.observed | logged[:, None])
    actions = np.where(logged, batch.observed.argmax(axis=1), _drawn(policy, rng))
    each = np.arange(len(actions))
    likelier = policy[each, actions] / np.where(logged, batch.propensities, 1.0)
    ratio = np.where(logged, np.minimum(likelier, CLIP), 1.0) * batch.trust
    rewards = _rewards(batch.rewards[each, actions], batch.costs_usd[each, actions], weights, teaching.cap_usd)
    taken = np.zeros_like(policy)
    taken[each, actions] = 1
    logarithms = np.log(np.maximum(policy, 1e-12))
    disorder = -(policy * logarithms).sum(axis=1, keepdims=True)
    by_logits = (ratio * (rewards - values))[:, None] * (policy - taken)
    by_logits += teaching.entropy * policy * (logarithms + disorder)
    return by_logits / len(each), batch.trust * (values - rewards) / len(each)


def _drawn(policy: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return an action for each row of the policy's probabilities."""
    bounds = policy.cumsum(axis=1)
    drawn = (rng.random((len(policy), 1)) * bounds[:, -1:] >= bounds).sum(axis=1)
    return np.asarray(np.minimum(drawn, policy.shape[1] - 1), np.intp)


def _rewards(quality: Array, costs_usd: Array, weights: Array, cap_usd: float) -> Array:
    shares = np.minimum(costs_usd / cap_usd, 1.0) if cap_usd > 0 else np.zeros_like(costs_usd)
    return np.asarray(weights[:, 0] * quality - weights[:, 1] * np.where(np.isnan(shares), float(cap_usd > 0), shares))
