import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.checks import check_estimator
from routers.checks.estimator import ESTIMATOR_CHECKS, is_bounded
from routers.estimators.cluster import Cluster
from routers.estimators.constant import Constant
from routers.estimators.knn import KNN
from routers.types import Candidate, Context
from tests.tables import EAST, NAN, NORTH, WEST, A, B, C, learned, mean, std, table, towards


def planted(n, seed=0, noise=0.3):
    """Return `n` requests of four kinds in 8 dimensions: model a is good at kinds 0 and 1, model b at the others."""
    generator = np.random.default_rng(seed)
    kinds = generator.integers(0, 4, n)
    embeddings = np.eye(8)[kinds] + noise * generator.standard_normal((n, 8)) / 8**0.5
    chances = np.where(kinds[:, None] < 2, [0.9, 0.2], [0.3, 0.8])
    return kinds, table(embeddings, generator.random((n, 2)) < chances, models="ab")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clusters": 3, "assignment": "learned"},
        {"clusters": 3, "ranking": True},
        {"nearest": 1},
    ],
    ids=str,
)
def test_passes_the_battery(options):
    """Whatever the options, it behaves as an estimator must."""
    check_estimator(lambda: Cluster(**options, max_rows=100))


@pytest.mark.parametrize(
    "check", [check for check in ESTIMATOR_CHECKS if check is not is_bounded], ids=lambda check: check.__name__
)
def test_passes_the_battery_with_a_chosen_number(check):
    """The state has room for as many clusters as were chosen, so that its size is bounded but may fall and rise."""
    check(lambda: Cluster(clusters=None, max_rows=10))


def test_estimates_by_the_mean_of_the_cluster():
    """Two rows in the east and one in the north are two clusters; each request gets its own."""
    cluster = learned(Cluster(2, nearest=1, shrinkage=0), table([EAST, EAST, NORTH], [1.0, 0.5, 0.25]))

    assert [0.75, 0.25] == [mean(cluster, towards(EAST)), mean(cluster, towards(NORTH))]


def test_shrinks_towards_the_models_mean():
    """One reward of 1 in the cluster and a mean of 0.5 counted twice give (1 + 2 * 0.5) / 3."""
    cluster = learned(Cluster(2, nearest=1, shrinkage=2), table([EAST, NORTH], [1.0, 0.0]))

    assert pytest.approx(2 / 3) == mean(cluster, towards(EAST))


def test_shares_a_request_out_by_the_softmax_of_closeness():
    """Cosines of 0.8 and 0.6 at a sharpness of 5 differ by one: e to 1 of rewards 1 and 0."""
    cluster = learned(Cluster(2, nearest=2, sharpness=5, shrinkage=0), table([EAST, NORTH], [1.0, 0.0]))

    assert pytest.approx(np.e / (np.e + 1), abs=1e-5) == mean(cluster, towards([0.8, 0.6]))


def test_only_the_nearest_clusters_count():
    """The third cluster is not asked, however little closeness matters."""
    cluster = learned(Cluster(3, nearest=2, sharpness=0, shrinkage=0), table([EAST, NORTH, WEST], [1.0, 0.5, 0.0]))

    assert pytest.approx(0.75) == mean(cluster, towards([0.8, 0.6]))


def test_standard_error_is_that_of_the_shrunk_mean():
    """Its own variance by four observations, and that of the model's mean as far as it was drawn there, by half."""
    cluster = learned(Cluster(2, nearest=1, shrinkage=2), table([EAST, EAST, NORTH, NORTH], [1.0, 0.0, 1.0, 0.0]))

    overall = (1 + 0.25) / 5
    own = (0.5 + 3 * overall) / 5
    assert pytest.approx((own / 4 + overall / 4 / 4) ** 0.5) == std(cluster, towards(EAST))


def test_standard_error_counts_the_disagreement_of_clusters():
    """Between two clusters of rewards 1 and 0 it is at least their spread, unlike at the centre of one."""
    rows = [EAST] * 50 + [NORTH] * 50
    cluster = learned(Cluster(2, nearest=2, sharpness=20, shrinkage=0), table(rows, [1.0] * 50 + [0.0] * 50))

    assert 0.5 == pytest.approx(std(cluster, towards([0.7071, 0.7071])), abs=0.01)
    assert std(cluster, towards(EAST)) < 0.15


def test_one_cluster_amounts_to_the_models_mean():
    """With a single cluster there is nothing to tell requests apart by."""
    _, rows = planted(50)
    cluster, constant = Cluster(clusters=1), Constant()
    for estimator in (cluster, constant):
        estimator.learn(rows)

    estimates, means = (estimator.predict(rows.contexts(), [A, B]).mean for estimator in (cluster, constant))
    assert np.allclose(means, estimates, atol=1e-6)


def test_a_cluster_a_row_amounts_to_the_nearest_neighbour():
    """With as many clusters as rows, one of them counted and no shrinkage, it is the nearest row's reward."""
    _, rows = planted(50, noise=3.0)
    _, others = planted(40, seed=1, noise=3.0)
    cluster, knn = Cluster(clusters=50, nearest=1, shrinkage=0), KNN(neighbours=1, shrinkage=0)
    for estimator in (cluster, knn):
        estimator.learn(rows)

    estimates, nearest = (estimator.predict(others.contexts(), [A, B]).mean for estimator in (cluster, knn))
    assert np.allclose(nearest, estimates, atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"clusters": 4}, {"clusters": 4, "assignment": "learned"}, {"clusters": None}], ids=str
)
def test_recovers_planted_kinds(options):
    """Each model's chance at each kind of request is found to within a tenth."""
    _, rows = planted(1200)
    kinds, others = planted(200, seed=1)
    cluster = Cluster(**options, sharpness=20, shrinkage=1)
    cluster.learn(rows)

    estimates = cluster.predict(others.contexts(), [A, B]).mean

    assert np.abs(estimates - np.where(kinds[:, None] < 2, [0.9, 0.2], [0.3, 0.8])).mean() < 0.05


def test_learned_map_tells_more_than_distance():
    """Where what matters is one weak direction, the map turns to it and errs less on new requests."""
    generator = np.random.default_rng(0)
    embeddings = np.concatenate(
        [generator.standard_normal((2000, 8)), 2 * generator.standard_normal((2000, 1))], axis=1
    )
    rewards = generator.random((2000, 1)) < np.where(embeddings[:, -1:] > 0, 0.9, 0.1)
    everything = table(embeddings, rewards)
    errors = []
    for assignment in ("distance", "learned"):
        cluster = Cluster(clusters=8, assignment=assignment)
        cluster.learn(everything.take(range(1500)))
        left_out = everything.take(range(1500, 2000))
        errors.append(((cluster.predict(left_out.contexts(), [A]).mean - left_out.rewards) ** 2).mean())

    assert errors[1] < 0.9 * errors[0]


def test_ranking_scores_by_the_models_that_are_better():
    """Nobody is better than a, one is better than b, two are better than c: 1, 1/2, 1/3."""
    cluster = learned(Cluster(1, ranking=True), table([EAST, NORTH], [[0.9, 0.5, 0.1]] * 2, models="abc"))

    estimates = cluster.predict([towards(EAST)], [C, A, B])
    assert np.allclose([[1 / 3, 1, 1 / 2]], estimates.mean)


def test_ranking_weighs_the_clusters():
    """First in a cluster that weighs e to 1, second in the other."""
    cluster = Cluster(2, nearest=2, sharpness=5, shrinkage=0, ranking=True)
    learned(cluster, table([EAST, NORTH], [[1.0, 0.0], [0.0, 1.0]], models="ab"))

    assert pytest.approx((np.e + 0.5) / (np.e + 1), abs=1e-5) == mean(cluster, towards([0.8, 0.6]))


def test_equals_share_a_rank():
    """Of two models with the same rewards neither is better."""
    cluster = learned(Cluster(1, ranking=True), table([EAST, NORTH], [[0.5, 0.5]] * 2, models="ab"))

    assert [1.0, 1.0] == [mean(cluster, towards(EAST), A), mean(cluster, towards(EAST), B)]


@pytest.mark.parametrize("ranking", [False, True])
def test_adopts_a_model_without_touching_the_others(ranking):
    """Centroids, map and estimates of the models learned stay as they were, to the last bit."""
    _, rows = planted(200)
    _, probes = planted(40, seed=1)
    cluster = Cluster(4, ranking=ranking, assignment="learned")
    cluster.learn(rows)
    before, state = cluster.predict(probes.contexts(), [A, B]), dict(cluster.state())

    cluster.adopt("c", table(probes.embeddings, np.ones((40, 1)), models="c"))

    after, changed = cluster.predict(probes.contexts(), [A, B]), dict(cluster.state())
    assert (before.mean == after.mean).all()
    assert (before.std == after.std).all()
    assert (state["directions"] == changed["directions"]).all()
    assert (state["centroids"] == changed["centroids"]).all()


def test_adopted_model_is_estimated_by_its_probes():
    """Its mean over the probes is 0.5; one probe of reward 1 in the east draws it to (1 + 0.5) / 2 there."""
    cluster = learned(Cluster(2, nearest=1, shrinkage=1), table([EAST, NORTH], [0.0, 0.0]))

    cluster.adopt("b", table([EAST, NORTH], [1.0, 0.0], models="b"))

    assert [0.75, 0.25] == [mean(cluster, towards(EAST), B), mean(cluster, towards(NORTH), B)]
    assert 0.5 == mean(cluster, Context("", 1), B)


def test_adopted_model_passes_through_the_state():
    """What is restored knows the adopted model, and ranks by the same rivals."""
    cluster = learned(Cluster(2, ranking=True), table([EAST, NORTH], [[0.9, 0.5]] * 2, models="ab"))
    cluster.adopt("c", table([EAST, NORTH], [1.0, 0.7], models="c"))
    restored = Cluster(2, ranking=True)

    restored.restore(cluster.state())

    one, other = (estimator.predict([towards(EAST)], [A, B, C]).mean for estimator in (cluster, restored))
    assert one.tolist() == other.tolist()


def test_adopted_model_is_kept_by_the_next_learning():
    """The probes are rows like others when clusters are made anew."""
    cluster = learned(Cluster(1), table([EAST, NORTH], [0.5, 0.5]))
    cluster.adopt("b", table([EAST, WEST], [1.0, 0.5], models="b"))

    cluster.learn(table([NORTH], [0.5]))

    assert pytest.approx(0.75) == mean(cluster, towards(EAST), B)


def test_adopting_again_forgets_what_was_known():
    """Now, and when clusters are made anew; the other model's rewards of these rows are kept."""
    cluster = learned(Cluster(1), table([EAST, NORTH], [[0.5, 0.0]] * 2, models="ab"))

    cluster.adopt("b", table([EAST], [1.0], models="b"))

    assert [0.5, 1.0] == [mean(cluster, towards(EAST), A), mean(cluster, towards(EAST), B)]
    cluster.learn(table([NORTH], [0.5]))
    assert [0.5, 1.0] == [mean(cluster, towards(EAST), A), mean(cluster, towards(EAST), B)]


def test_adopts_one_column_of_several():
    """Other models of the probes' table are left out."""
    cluster = learned(Cluster(1), table([EAST, NORTH], [0.5, 0.5]))

    cluster.adopt("b", table([EAST], [[0.0, 1.0]], models="ab"))

    assert [0.5, 1.0] == [mean(cluster, towards(EAST), A), mean(cluster, towards(EAST), B)]


def test_number_of_clusters_is_chosen_by_error():
    """Rewards without any structure are best told by few clusters, eight kinds by eight or more."""
    generator = np.random.default_rng(0)
    kinds = generator.integers(0, 8, 600)
    embeddings = np.eye(8)[kinds] + 0.05 * generator.standard_normal((600, 8))
    noise = learned(Cluster(None, nearest=1, shrinkage=0), table(embeddings, generator.random((600, 1))))
    told = learned(Cluster(None, nearest=1, shrinkage=0), table(embeddings, kinds % 2))

    assert 4 == len(noise.state()["centroids"])
    assert len(told.state()["centroids"]) >= 8


def test_request_without_embedding_gets_the_models_mean():
    """Mean and error are those of the constant estimator."""
    cluster = learned(Cluster(2), table([EAST, WEST], [1.0, 0.5]))

    assert 0.75 == mean(cluster, Context("", 1))
    assert pytest.approx(((0.125 + 0.25) / 3 / 2) ** 0.5) == std(cluster, Context("", 1))


def test_row_without_embedding_counts_for_the_mean_alone():
    """A row of NaN is in no cluster."""
    cluster = learned(Cluster(1, shrinkage=0), table([EAST, [NAN, NAN]], [1.0, 0.0]))

    assert [1.0, 0.5] == [mean(cluster, towards(EAST)), mean(cluster, Context("", 1))]


@pytest.mark.parametrize("options", [{}, {"assignment": "learned"}, {"ranking": True}, {"clusters": None}], ids=str)
@pytest.mark.parametrize(
    ("embeddings", "rewards"),
    [
        (np.zeros((0, 2)), np.zeros((0, 2))),
        ([EAST], [[1.0, NAN]]),
        ([[0, 0], [NAN, NAN]], [[1.0, 0.0], [1.0, 0.0]]),
        ([EAST, WEST], [[NAN, NAN], [NAN, NAN]]),
        ([EAST] * 9, [[1.0, 0.0]] * 9),
        ([EAST, WEST] * 9, [[1.0, 0.0]] * 18),
    ],
    ids=["no rows", "one row", "no embeddings", "no rewards", "one point", "opposites"],
)
def test_copes_with(options, embeddings, rewards):
    """Estimates are finite and within bounds, whatever little was learned."""
    cluster = learned(Cluster(**options), table(embeddings, rewards, models="ab"))
    cluster.learn(table([NORTH], [0.5], models="c"))

    estimates = cluster.predict([towards(EAST), Context("", 1)], [A, B, C, Candidate("new")])
    assert np.isfinite(estimates.mean).all()
    assert (estimates.mean >= 0).all()
    assert (estimates.mean <= 1).all()
    assert (estimates.std <= 0.5).all()
    assert (0.5, 0.5) == (estimates.mean[0, 3], estimates.std[0, 3])


def test_adopts_before_anything_was_learned():
    """Without clusters the probes give the model's mean."""
    cluster = Cluster()

    cluster.adopt("a", table([EAST, NORTH], [1.0, 0.5]))

    assert 0.75 == mean(cluster, towards(EAST))


@pytest.mark.parametrize("use", ["predict", "learn", "adopt"])
def test_refuses_an_embedding_of_another_length(use):
    """Another encoder's embeddings are an error that says so, not a broadcast."""
    cluster, other = learned(Cluster(), table([EAST], [1.0])), table([[1, 0, 0]], [1.0])
    uses = {
        "predict": lambda: cluster.predict([towards([1, 0, 0])], [A]),
        "learn": lambda: cluster.learn(other),
        "adopt": lambda: cluster.adopt("a", other),
    }

    with pytest.raises(ValueError, match=r"has 3 numbers but those learned have 2.*pointsman train"):
        uses[use]()


@pytest.mark.parametrize(
    "wrong",
    [
        {"clusters": 0},
        {"nearest": 0},
        {"max_rows": 0},
        {"sharpness": -1.0},
        {"shrinkage": -1.0},
        {"assignment": "soft"},
    ],
    ids=str,
)
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value!r}"):
        Cluster(**wrong)


def test_predicts_without_scientific_libraries():
    """Neither scikit-learn nor SciPy is loaded before something is fitted."""
    code = "import sys, routers.estimators.cluster; print({'sklearn', 'scipy'} & set(sys.modules))"

    assert "set()\n" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=12),
    st.floats(0, 10),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_estimate_lies_within_the_rewards(rows, shrinkage, clusters, nearest):
    """A mean of rewards is neither above the best nor below the worst of them."""
    cluster = Cluster(clusters, nearest, shrinkage=shrinkage)
    learned(cluster, table([row[1:] for row in rows], [row[0] for row in rows]))
    rewards = [row[0] for row in rows]

    assert min(rewards) - 1e-6 <= mean(cluster, towards(EAST)) <= max(rewards) + 1e-6
    assert 0 <= std(cluster, towards(EAST)) <= 0.5
