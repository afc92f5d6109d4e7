import numpy as np
import pytest

from routers.checks.estimator import check_estimator
from routers.estimators.constant import Constant
from routers.estimators.irt import IRT
from routers.estimators.knn import KNN
from routers.estimators.trust import Trust
from routers.newcomer import Newcomer
from routers.newcomers import Newcomers
from routers.types import Candidate, Context, Outcomes

KNOWN = ("a", "b", "c")
D = 4


def outcomes(models, n=200, seed=0):
    """Outcomes of models by (offset, the direction it is good in): rewards are drawn with that chance."""
    rng = np.random.default_rng(seed)
    embeddings = rng.standard_normal((n, D)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    chances = np.stack([chance(embeddings, *how) for how in models.values()], axis=1)
    rewards = (rng.random(chances.shape) < chances).astype(np.float32)
    return Outcomes(tuple(models), embeddings, rewards, rewards * np.nan, rewards * np.nan)


def chance(embeddings, offset, direction):
    """Return the true chances."""
    return 1 / (1 + np.exp(-offset - 2 * embeddings[:, direction]))


WORLD = {"a": (0.0, 0), "b": (0.5, 0), "c": (-0.5, 1)}


def learned(estimator=None):
    """Return the wrapper around something that knows three models."""
    newcomers = Newcomers(estimator or KNN(neighbours=30))
    newcomers.learn(outcomes(WORLD, 400))
    return newcomers


def contexts(n=50, seed=9):
    """Return requests, the last without an embedding."""
    return [*outcomes(WORLD, n, seed).contexts(), Context("", 1)]


def estimates(estimator, models, given=None):
    """Return estimates for models by name."""
    return estimator.predict(given or contexts(), [Candidate(model) for model in models])


def test_passes_the_battery_without_newcomers():
    """Until somebody joins it is the estimator that it holds."""

    class Plain(Newcomers):
        """What the battery makes.

        >>> Plain().models
        ()
        """

        def __init__(self):
            super().__init__(KNN(neighbours=5, max_rows=100))

    check_estimator(Plain)


@pytest.mark.parametrize("estimator", [Constant(), KNN(), IRT(epochs=5)], ids=["constant", "knn", "irt"])
def test_the_known_stay_as_they_were(estimator):
    """Their estimates do not change by a bit, whoever joins, and whoever is in the pool."""
    newcomers = learned(estimator)
    before = estimates(estimator, KNOWN)

    newcomers.adopt("new", outcomes({"new": (1.0, 0)}, 40, seed=1), KNOWN)
    after = estimates(newcomers, ("new", *KNOWN))

    assert before.mean.tobytes() == after.mean[:, 1:].tobytes()
    assert before.std.tobytes() == after.std[:, 1:].tobytes()


def test_the_known_are_held_against_candidates_alone():
    """Who is no candidate tells of the newcomer, and is no yardstick for those who are."""
    newcomers = learned(Trust(KNN(neighbours=30), margin=0.2))
    before = estimates(newcomers, ("a", "c"))

    newcomers.adopt("new", outcomes({"new": (1.0, 0)}, 40, seed=1), KNOWN)
    after = estimates(newcomers, ("a", "c", "new"))

    assert before.mean.tobytes() == after.mean[:, :2].tobytes()


@pytest.mark.parametrize("estimator", [Constant(), KNN(), IRT(epochs=5)], ids=["constant", "knn", "irt"])
def test_tells_the_good_newcomer_from_the_bad(estimator):
    """Forty outcomes place a model above, or below, all others."""
    newcomers = learned(estimator)
    newcomers.adopt("good", outcomes({"good": (2.5, 0)}, 40, seed=1), KNOWN)
    newcomers.adopt("bad", outcomes({"bad": (-2.5, 0)}, 40, seed=1), KNOWN)

    bad, *known, good = estimates(newcomers, ("bad", *KNOWN, "good")).mean.mean(axis=0)

    assert bad < min(known) < max(known) < good


def test_learns_whom_a_newcomer_is_like():
    """Good in a direction in which another is good, it is expected to be so there, unlike the others."""
    newcomers = learned()
    newcomers.adopt("like c", outcomes({"like c": (-0.5, 1)}, 60, seed=2), KNOWN)
    newcomers.adopt("like a", outcomes({"like a": (0.0, 0)}, 60, seed=2), KNOWN)
    given = contexts(200)[:-1]
    true = [chance(np.stack([c.embedding for c in given]), *WORLD[model]) for model in "ca"]

    found = estimates(newcomers, ("like c", "like a"), given).mean

    assert np.corrcoef(found[:, 0], true[0])[0, 1] > 0.7 > np.corrcoef(found[:, 0], true[1])[0, 1]
    assert np.corrcoef(found[:, 1], true[1])[0, 1] > 0.7 > np.corrcoef(found[:, 1], true[0])[0, 1]


def test_interval_holds_the_true_mean():
    """Of forty models that join by forty outcomes each, nine in ten at least lie within 1.96 standard errors."""
    newcomers, given, inside = learned(), contexts(200)[:-1], []
    embeddings = np.stack([context.embedding for context in given])
    rng = np.random.default_rng(0)
    for seed in range(40):
        how = (rng.normal(0, 1), int(rng.integers(D)))
        newcomers.adopt("new", outcomes({"new": how}, 40, seed + 100), KNOWN)
        found = estimates(newcomers, ("new",), given)
        inside.append(abs(found.mean.mean() - chance(embeddings, *how).mean()) < 1.96 * found.std.mean())

    assert np.mean(inside) >= 0.9


def test_more_outcomes_are_surer():
    """The standard error shrinks, and it is never above a half."""
    newcomers, rows = learned(), outcomes({"new": (0.5, 0)}, 400, seed=3)
    widths = []
    for n in (1, 20, 400):
        newcomers.adopt("new", rows.take(range(n)), KNOWN)
        widths.append(estimates(newcomers, ("new",)).std.mean())

    assert 0.5 >= widths[0] > 1.5 * widths[1] > 2 * widths[2] > 0


def test_offset_is_the_most_probable_one():
    """Where 1/2 is expected, one reward of 1 moves the offset until its score, 1.5 (1 - p), equals the prior's pull."""
    newcomer = Newcomer.unobserved(("a",), np.array([[0.5]])).observing(np.array([[0.5]]), np.array([1.0]))

    (mean,), (std,) = newcomer.expected(np.array([[0.5]]))

    offset = newcomer.mean[0]
    assert pytest.approx(1 / (1 + np.exp(-1.5 * offset))) == mean
    assert pytest.approx(1.5 * (1 - mean)) == offset
    error = 1.5 * (1 + 1.5**2 * mean * (1 - mean)) ** -0.5
    up, down = (1 / (1 + np.exp(-1.5 * offset - sign * error)) for sign in (1, -1))
    assert pytest.approx((up - down) / 2) == std


@pytest.mark.parametrize("known", [(), ("a",), KNOWN])
@pytest.mark.parametrize("reward", [0.0, 0.3, 1.0])
def test_copes_with_few_known_and_with_equal_rewards(known, reward):
    """All right or all wrong is as good as any, and finite; nobody need be known."""
    newcomers, rows = learned(), outcomes({"new": (0.0, 0)}, 40)
    rows.rewards[:] = reward

    newcomers.adopt("new", rows, known)
    found = estimates(newcomers, ("new",))

    assert abs(found.mean.mean() - reward) < 0.15
    assert ((found.std > 0) & (found.std <= 0.5)).all()


def test_refuses_a_model_without_a_reward():
    """The message names it."""
    rows = outcomes({"new": (0.0, 0)}, 3)
    rows.rewards[:] = np.nan

    with pytest.raises(ValueError, match="'new' cannot be adopted"):
        learned().adopt("new", rows, KNOWN)


def test_rows_without_the_newcomers_reward_do_not_count():
    """A gap is no observation."""
    one, other, rows = learned(), learned(), outcomes({"new": (0.5, 0)}, 40)
    rows.rewards[10:] = np.nan
    one.adopt("new", rows, KNOWN)
    other.adopt("new", rows.take(range(10)), KNOWN)

    assert estimates(one, ("new",)).mean.tobytes() == estimates(other, ("new",)).mean.tobytes()


def test_state_survives_and_is_the_estimators_own_without_newcomers():
    """Newcomers are restored with what they joined; where there is none, nothing is added."""
    newcomers, again = learned(), Newcomers(KNN(neighbours=30))
    assert newcomers.state().keys() == newcomers.estimator.state().keys()
    for n, model in enumerate(("new", "newer")):
        newcomers.adopt(model, outcomes({model: (1.0, 0)}, 20, seed=n), KNOWN)

    state = dict(newcomers.state())
    again.restore(state)

    assert all(array.dtype.kind != "O" for array in state.values())
    assert ("new", "newer") == again.models
    one, other = (estimates(held, ("new", "a", "newer")) for held in (newcomers, again))
    assert one.mean.tobytes() == other.mean.tobytes()
    assert one.std.tobytes() == other.std.tobytes()


def test_learning_goes_on():
    """What is learned of a newcomer later is added to its probes."""
    newcomers = learned()
    newcomers.adopt("new", outcomes({"new": (-1.0, 0)}, 20, seed=1), KNOWN)
    before = estimates(newcomers, ("new",))

    newcomers.learn(outcomes({"new": (2.0, 0), "a": (0.0, 0)}, 200, seed=2))
    after = estimates(newcomers, ("new",))

    assert after.mean.mean() > before.mean.mean() + 0.1
    assert after.std.mean() < before.std.mean()


def test_an_estimators_own_way_is_taken():
    """An estimator that can adopt does; the wrapper then holds nothing."""
    newcomers = learned(IRT(epochs=5))

    newcomers.adopt("new", outcomes({"new": (1.0, 0)}, 40), KNOWN)

    assert () == newcomers.models
    assert "new" in newcomers.estimator.state()["fitted.models"]


def test_newcomers_are_not_learned_from_by_newcomers():
    """What is known of one by few outcomes is no ground for another."""
    newcomers = learned()
    newcomers.adopt("new", outcomes({"new": (1.0, 0)}, 20), KNOWN)
    newcomers.adopt("newer", outcomes({"newer": (1.0, 0)}, 20), (*KNOWN, "new", "newer"))

    assert KNOWN == newcomers._joined["newer"].known


def test_what_is_learned_online_takes_over():
    """A third of the probes' worth of rewards has a quarter of the say, in the mean and in what is left of the doubt."""
    newcomers = learned()
    newcomers.adopt("new", outcomes({"new": (1.0, 0)}, 40), KNOWN)
    probed, told = estimates(newcomers, ("new",)), estimates(newcomers.estimator, ("new",))
    worth = probed.mean * (1 - probed.mean) / probed.std**2

    newcomers.hear({"new": float(worth[0, 0]) / 3})
    mixed = estimates(newcomers, ("new",))

    assert pytest.approx(0.75 * probed.mean[0, 0] + 0.25 * told.mean[0, 0]) == mixed.mean[0, 0]
    assert pytest.approx(np.hypot(0.75 * probed.std[0, 0], 0.25 * told.std[0, 0])) == mixed.std[0, 0]


def test_the_known_are_estimated_as_before_whatever_was_heard():
    """Who did not join has nothing to yield."""
    newcomers = learned()
    newcomers.adopt("new", outcomes({"new": (1.0, 0)}, 40), KNOWN)
    newcomers.hear({"new": 1000.0, "a": 1000.0})

    assert estimates(newcomers, KNOWN).mean.tobytes() == estimates(newcomers.estimator, KNOWN).mean.tobytes()
