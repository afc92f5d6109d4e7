import numpy as np
import pytest

from routers.checks import check_estimator
from routers.estimators.constant import Constant
from routers.estimators.knn import KNN
from routers.estimators.trust import Trust
from routers.types import Candidate, Context, Outcomes

POOL = [Candidate("a"), Candidate("new")]


def table(embeddings, rewards, tasks=()):
    """Return outcomes of model a."""
    column = np.array(rewards, np.float32)[:, None]
    gap = np.full_like(column, np.nan)
    return Outcomes(("a",), np.array(embeddings, np.float32), column, gap, gap, tasks=tasks)


def at(*embedding):
    """Return a request in that direction."""
    return Context("", 1, embedding=np.array(embedding, np.float32))


def learned(estimator=None, tasks=(), **options):
    """Return trust in an estimator that saw two requests along each of two axes of three."""
    trust = Trust(estimator or KNN(neighbours=2, shrinkage=0.0), **({"neighbours": 1} | options))
    trust.learn(table(np.eye(3)[[0, 0, 1, 1]], [1, 1, 0, 0], tasks))
    return trust


@pytest.mark.parametrize("make", [Constant, lambda: KNN(neighbours=5, max_rows=100)])
def test_passes_the_battery(make):
    """As every estimator must, whomever it trusts."""
    check_estimator(lambda: Trust(make(), neighbours=3, sample=100))


def test_believes_where_requests_are_known():
    """In the direction of rows learned the other estimator speaks; off all of them, the mean."""
    mean = learned().predict([at(1, 0, 0), at(0, 1, 0), at(0, 0, 1)], POOL).mean

    assert [1.0, 0.0, 0.5] == mean[:, 0].tolist()
    assert [0.5, 0.5, 0.5] == mean[:, 1].tolist()


def test_trust_rises_smoothly():
    """Without tasks from half of the usual support, which is one: at 3/4 it is a half, at 5/8 t = 1/4 gives 10/64."""
    trust = learned()

    supports = (0.5, 0.625, 0.75, 1.0)
    assert pytest.approx([0.0, 0.15625, 0.5, 1.0], abs=1e-3) == [
        trust.trust(at(s, 0, np.sqrt(1 - s**2))) for s in supports
    ]


def test_mixes_means_and_errors():
    """Half trust: half of 1 and half of 0.5; the errors of both, and what they are apart."""
    trust = learned(Constant())
    trust.estimator.learn(table(np.eye(3)[:1], [1.0]))  # only the estimator: its mean becomes 0.6
    context = at(0.75, 0, np.sqrt(1 - 0.75**2))

    believed = trust.estimator.predict([context], POOL[:1])
    estimates = trust.predict([context], POOL[:1])

    spread = (1.0 + 0.25) / 5  # four rewards, 0.5 from their mean, and an imagined one
    variance = 0.5 * believed.std.item() ** 2 + 0.5 * spread + 0.25 * 0.1**2
    assert pytest.approx(0.55, abs=1e-3) == estimates.mean.item()
    assert pytest.approx(np.sqrt(variance), abs=1e-3) == estimates.std.item()


def test_support_is_the_mean_cosine():
    """Of the nearest rows."""
    trust = learned(neighbours=3)

    assert pytest.approx((0.8 + 0.8 + 0.6) / 3, abs=1e-3) == trust.support(at(0.8, 0.6, 0))
    assert trust.support(Context("", 1)) is None
    assert Trust(Constant()).support(at(1, 0, 0)) is None


def test_tasks_say_what_is_unknown():
    """Two tasks 60 degrees apart: a support of 0.5 is how an unknown one looks, whatever half of the usual is."""
    trust = Trust(Constant(), neighbours=1)
    trust.learn(table([[1, 0, 0]] * 2 + [[0.5, np.sqrt(0.75), 0]] * 2, [1, 1, 0, 0], ("x", "x", "y", "y")))

    assert pytest.approx(0.0, abs=1e-3) == trust.trust(at(0.5, 0, np.sqrt(0.75)))
    assert pytest.approx(0.5, abs=2e-3) == trust.trust(at(0.75, 0, np.sqrt(1 - 0.75**2)))


def test_tasks_that_look_alike_make_no_cliff():
    """The ramp has a width, even where other tasks support a row as its own does."""
    trust = Trust(Constant(), neighbours=1)
    trust.learn(table([[1, 0, 0]] * 4, [1, 1, 0, 0], ("x", "x", "y", "y")))
    low, high = trust.state()["ramp"]

    assert pytest.approx(0.05) == high - low


@pytest.mark.parametrize("tasks", [("x",) * 4, ("", "", "", "")])
def test_one_task_is_none(tasks):
    """Nothing is known of how another would look."""
    assert pytest.approx([0.5, 1.0], abs=1e-3) == learned(tasks=tasks).state()["ramp"].tolist()


def test_no_embedding_no_trust():
    """The means are what is left."""
    assert 0.5 == learned().predict([Context("", 1)], POOL).mean[0, 0]


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_rows_are_coped_with(rows):
    """A row has no other to be supported by."""
    trust = Trust(Constant())
    trust.learn(table(np.eye(3)[:rows], [1.0] * rows))

    assert np.isfinite(trust.predict([at(1, 0, 0)], POOL).mean).all()


def test_holds_back_on_a_task_never_seen():
    """What neighbours say of tasks they know nothing of is worse than the mean, and trust is nearer to it."""
    generator = np.random.default_rng(0)
    centres = np.eye(4, 16)
    tasks = generator.integers(0, 4, 400)
    embeddings = centres[tasks] + 0.15 * generator.standard_normal((400, 16))
    rewards = (generator.random(400) < np.array([0.9, 0.1, 0.9, 0.5])[tasks]).astype(np.float32)
    known = tasks != 3
    names = tuple(f"task {task}" for task in tasks[known])
    plain, trust = KNN(neighbours=10), Trust(KNN(neighbours=10))
    for estimator in (plain, trust):
        estimator.learn(table(embeddings[known], rewards[known], names))

    def error(estimator, rows):
        contexts = [at(*embeddings[row]) for row in rows]
        return float(np.mean((estimator.predict(contexts, POOL[:1]).mean[:, 0] - rewards[known].mean()) ** 2))

    unseen, seen = np.flatnonzero(~known)[:40], np.flatnonzero(known)[:40]
    assert error(trust, unseen) < 0.5 * error(plain, unseen)
    assert error(trust, seen) > 0.7 * error(plain, seen)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neighbours": 0}, "neighbours=0 .* must be at least 1"),
        ({"sample": 0}, "sample=0 must be at least 1"),
        ({"known": 1.5}, "known=1.5 .* must be quantiles"),
        ({"unknown": -1.0}, "unknown=-1.0 must be quantiles"),
    ],
)
def test_refuses_options_without_a_meaning(options, message):
    """The message names the option and its value."""
    with pytest.raises(ValueError, match=message):
        Trust(Constant(), **options)


def doubting(margin, small, large):
    """Return trust with a margin that learned of a model that is best on average, and of three that differ by gains."""
    rows, models = 50, ("best", "slightly", "clearly", "worse")
    rewards = np.tile(np.array([0.6, 0.4, 0.4, 0.2], np.float32), (rows, 1))
    rewards[0] = [0.5, 0.5 + small, 0.5 + large, 0.3]
    axes = np.eye(2, dtype=np.float32)[[0] + [1] * (rows - 1)]
    gap = np.full_like(rewards, np.nan)
    trust = Trust(KNN(neighbours=1, shrinkage=0.0), neighbours=1, known=0.0, margin=margin)
    trust.learn(Outcomes(models, axes, rewards, gap, gap))
    return trust


def expected(trust, *models):
    """Return what it expects of these candidates where the gains are."""
    return trust.predict([at(1, 0)], [Candidate(model) for model in models]).mean[0].tolist()


def test_small_gains_over_the_best_model_are_not_believed():
    """They count as next to nothing lost, the greater the gain the less; what is cheaper wins by any saving."""
    trust = Trust(Constant(), margin=0.1)
    mean = trust._without_small_gains(np.array([[0.5, 0.52, 0.59, 0.65, 0.4]]), np.array([[0.5]]))

    assert [[0.5, 0.4992, 0.4999, 0.65, 0.4]] == mean.round(6).tolist()


def test_margin_is_relative_to_the_candidate_that_is_best_on_average():
    """Without a margin all gains are believed."""
    pool = ("best", "slightly", "clearly", "worse")
    believed, doubted = (expected(doubting(margin, 0.05, 0.3), *pool) for margin in (0.0, 0.1))

    assert believed[1] > believed[0]
    assert doubted[0] > doubted[1] > doubted[0] - 0.002
    assert believed[2] == doubted[2]
    assert believed[3] == doubted[3]


def test_a_model_that_is_no_candidate_is_no_yardstick():
    """What others gain over it is nothing that could be believed or not where nobody can choose it."""
    doubted, believed = doubting(0.1, 0.05, 0.08), doubting(0.0, 0.05, 0.08)

    for pool in (("slightly", "worse"), ("slightly", "clearly")):
        assert expected(believed, *pool) == expected(doubted, *pool)
        assert expected(believed, "best", *pool) != expected(doubted, "best", *pool)


def test_a_candidate_without_rewards_is_no_yardstick():
    """Where no candidate has any, the best of all models learned is; beside one that has, that one."""
    trust = doubting(0.1, 0.05, 0.3)

    assert expected(trust, "slightly") == expected(trust, "slightly", "new")[:1]
    assert [0.5] == pytest.approx(expected(trust, "new"), abs=0.01)


@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_passes_the_battery_with_a_margin(margin):
    """Also where the best candidate is the yardstick of the others."""
    check_estimator(lambda: Trust(KNN(neighbours=5, max_rows=100), neighbours=3, margin=margin, sample=50))


def test_refuses_a_margin_that_is_none():
    """A difference of rewards lies between 0 and 1."""
    with pytest.raises(ValueError, match=r"margin=1\.5 must be a difference of rewards"):
        Trust(Constant(), margin=1.5)
