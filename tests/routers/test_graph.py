import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.checks import check_estimator
from routers.estimators.graph import Graph
from routers.estimators.knn import KNN
from routers.estimators.propagation import ProfileGraph, link_models, link_requests
from routers.types import Candidate, Context
from tests.tables import EAST, NAN, NORTH, WEST, A, B, C, learned, mean, std, table, towards


def dense(embeddings, tasks=None, neighbours=1, task_weight=0.0):
    """Return the links of requests as an ordinary array."""
    told = tasks or [""] * len(embeddings)
    return link_requests(np.array(embeddings, np.float32), told, neighbours, task_weight).toarray()


@pytest.mark.parametrize(
    "options", [{}, {"task_weight": 0.0}, {"hops": 0, "neighbours": 5}, {"model_weight": 1.0}], ids=str
)
def test_passes_the_battery(options):
    """Whatever the options, it behaves as an estimator must."""
    check_estimator(lambda: Graph(**options, max_rows=100))


def test_links_each_request_to_its_nearest():
    """Of three requests the first two are each other's nearest, and the third's nearest is the second."""
    links = dense([EAST, [0.8, 0.6], NORTH])

    degrees = np.array([0.8, 0.8 + 0.6, 0.6])
    expected = np.array([[0, 0.8, 0], [0.8, 0, 0.6], [0, 0.6, 0]]) / np.sqrt(np.outer(degrees, degrees))
    assert np.allclose(expected, links)


def test_opposite_requests_are_not_linked():
    """A cosine that is not above zero is no link, and a request without links stays alone."""
    assert 0 == dense([EAST, WEST, NORTH], neighbours=2).sum()


def test_links_requests_to_their_task():
    """Two requests of one task share a node; one whose task is not known has no link."""
    links = dense([EAST, WEST, NORTH], ["code", "code", ""], task_weight=3.0)

    assert np.allclose(3 / np.sqrt(3 * 6), links[:2, 3])
    assert (4, 4) == links.shape
    assert 0 == links[2].sum()


def test_links_models_by_the_correlation_of_their_rewards():
    """Equal deviations correlate fully, seen twice and drawn to zero by two: 1/2; opposite ones do not count."""
    deviations = np.array([[0.5, 0.5, -0.5], [-0.5, -0.5, 0.5]])

    links = link_models(deviations, np.ones((2, 3)), model_weight=1.0, shrinkage=2)

    assert np.allclose([[1 / 1.5, 0.5 / 1.5, 0], [0.5 / 1.5, 1 / 1.5, 0], [0, 0, 1]], links)


def test_models_never_observed_together_are_not_linked():
    """Without a common request there is nothing to compare, also where nothing is drawn to zero."""
    observed = np.array([[1.0, 0.0], [0.0, 1.0]])

    assert np.allclose(np.eye(2), link_models(0.5 * observed, observed, model_weight=1.0, shrinkage=0))


def test_two_hops_reach_the_neighbours_neighbours():
    """On a chain of three the end gets nothing of the other end in one hop, and a share in two."""
    graph = ProfileGraph(link_requests(np.array([EAST, [0.8, 0.6], NORTH], np.float32), [""] * 3, 1, 0.0), np.eye(1))
    profiles = np.array([[1.0], [0.0], [0.0]])

    one, two = (graph.propagate(profiles, hops, retain=0.5)[:, 0] for hops in (1, 2))

    degrees = np.array([0.8, 1.4, 0.6])
    step = np.array([0.8, 0.6]) / np.sqrt(degrees[1] * degrees[[0, 2]])
    assert np.allclose([0.5, 0.5 * step[0], 0], one)
    assert np.allclose([0.5 + 0.25 * step[0] ** 2, 0.25 * step[0], 0.25 * step[0] * step[1]], two)


def test_without_hops_it_is_the_nearest_neighbours():
    """Nothing is smoothed: the estimates are those of `KNN` with the same options."""
    generator = np.random.default_rng(0)
    embeddings, rewards = generator.standard_normal((60, 4)), generator.random((60, 2))
    rewards[generator.random((60, 2)) < 0.3] = NAN
    rows = table(embeddings, rewards, models="ab")
    graph, knn = Graph(neighbours=7, hops=0, shrinkage=3), KNN(neighbours=7, shrinkage=3)
    for estimator in (graph, knn):
        estimator.learn(rows)

    estimates, nearest = (estimator.predict(rows.contexts(), [A, B]).mean for estimator in (graph, knn))
    assert np.allclose(nearest, estimates, atol=1e-5)


def test_retaining_all_smooths_nothing():
    """A share of one leaves every row its own outcome."""
    rows = table([EAST, [0.8, 0.6], NORTH], [1.0, 0.5, 0.0])
    still, unsmoothed = Graph(retain=1), Graph(hops=0)
    for graph in (still, unsmoothed):
        graph.learn(rows)

    assert mean(unsmoothed, towards(EAST)) == mean(still, towards(EAST))


def test_smooths_outcomes_once_and_looks_them_up():
    """Two linked rows, one neighbour: half of the row's own deviation and half of the other's, nothing left."""
    graph = Graph(neighbours=1, hops=1, retain=0.5, task_weight=0, model_weight=0, shrinkage=0)
    learned(graph, table([EAST, [0.8, 0.6], NORTH], [1.0, 0.4, 0.1]))

    degrees = np.array([0.8, 1.4, 0.6])
    link = 0.8 / np.sqrt(degrees[0] * degrees[1])
    expected = 0.5 + (0.5 * 0.5 + 0.5 * link * -0.1) / (0.5 + 0.5 * link)
    assert pytest.approx(expected, abs=1e-3) == mean(graph, towards(EAST))


def test_shrinks_towards_the_models_mean():
    """One neighbour of reward 1 and a mean of 0.5 counted twice give (1 + 2 * 0.5) / 3."""
    graph = learned(Graph(neighbours=1, hops=0, shrinkage=2), table([EAST, WEST], [1.0, 0.0]))

    assert pytest.approx(2 / 3) == mean(graph, towards(EAST))


def test_standard_error_counts_evidence_and_the_mean():
    """The model's variance by three observations, and that of its mean as far as it was drawn there, by 2/3."""
    graph = learned(Graph(neighbours=1, hops=0, shrinkage=2), table([EAST, WEST], [1.0, 0.0]))

    variance = (0.5 + 0.25) / 3
    assert pytest.approx((variance / 3 + 4 / 9 * variance / 2) ** 0.5) == std(graph, towards(EAST))


def test_gap_is_filled_from_the_task():
    """The nearest row has no outcome of a, but others of its task have: its estimate leaves the mean."""
    rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, -1, 0]]
    rewards = [NAN, 1.0, 0.0, 0.0]
    options = {"neighbours": 1, "model_weight": 0, "shrinkage": 0.1}
    with_tasks = learned(Graph(**options), table(rows, rewards, tasks=["code", "code", "chat", "chat"]))
    without = learned(Graph(**options), table(rows, rewards))

    assert pytest.approx(1 / 3) == mean(without, towards([1, 0, 0]))
    assert mean(with_tasks, towards([1, 0, 0])) > 0.7


def test_gap_is_filled_from_a_similar_model():
    """Model b did what a did wherever both were asked; where only a was, b is expected to follow."""
    generator = np.random.default_rng(0)
    embeddings = np.repeat([EAST, WEST], 30, axis=0) + 0.01 * generator.standard_normal((60, 2))
    rewards = np.repeat(np.repeat([[1.0], [0.0]], 30, axis=0), 2, axis=1)
    rewards[np.arange(60) % 30 > 0, 1] = NAN
    rewards[30:, 1] = NAN
    embeddings = np.concatenate([embeddings, [NORTH] * 20])
    rewards = np.concatenate([rewards, np.repeat([[1.0, 1.0], [0.0, 0.0]], 10, axis=0)])
    alone, linked = (
        learned(Graph(neighbours=10, model_weight=weight), table(embeddings, rewards, models="ab"))
        for weight in (0.0, 1.0)
    )

    assert mean(linked, towards(WEST), B) < mean(alone, towards(WEST), B) - 0.1


def test_recovers_planted_chances_from_a_few_outcomes():
    """With one outcome in ten, smoothing comes nearer to the chances than neighbours alone."""
    generator = np.random.default_rng(0)
    kinds = generator.integers(0, 4, 600)
    embeddings = np.eye(8)[kinds] + 0.7 * generator.standard_normal((600, 8)) / 8**0.5
    chances = np.where(kinds[:, None] < 2, [0.9, 0.2], [0.3, 0.8])
    rewards = np.where(generator.random((600, 2)) < 0.1, generator.random((600, 2)) < chances, NAN)
    rows = replace(table(embeddings, rewards, models="ab"), tasks=tuple(str(kind) for kind in kinds))
    errors = []
    for hops in (0, 2):
        graph = Graph(hops=hops)
        graph.learn(rows)
        errors.append(np.abs(graph.predict(rows.contexts(), [A, B]).mean - chances).mean())

    assert errors[1] < 0.12
    assert errors[1] < 0.7 * errors[0]


def test_request_without_embedding_gets_the_models_mean():
    """No neighbours leave the mean."""
    graph = learned(Graph(), table([EAST, WEST], [1.0, 0.5]))

    assert 0.75 == mean(graph, Context("", 1))


def test_tasks_of_some_tables_only():
    """A table without tasks after one with them is learned as having none, and both pass through the state."""
    graph = learned(Graph(max_rows=3), table([EAST, NORTH], [1.0, 0.0], tasks=["code", "chat"]))
    graph.learn(table([WEST, WEST], [0.5, 0.5]))
    restored = Graph(max_rows=3)

    restored.restore(graph.state())

    assert ["chat", "", ""] == restored.state()["tasks"].tolist()


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
@pytest.mark.parametrize("shrinkage", [0.0, 1.0])
def test_copes_with(shrinkage, embeddings, rewards):
    """Estimates are finite and within bounds, whatever little was learned."""
    graph = learned(
        Graph(shrinkage=shrinkage), table(embeddings, rewards, models="ab", tasks=["same"] * len(embeddings))
    )
    graph.learn(table([NORTH], [0.5], models="c"))

    estimates = graph.predict([towards(EAST), Context("", 1)], [A, B, C, Candidate("new")])
    assert np.isfinite(estimates.mean).all()
    assert (estimates.mean >= 0).all()
    assert (estimates.mean <= 1).all()
    assert (estimates.std <= 0.5).all()
    assert (0.5, 0.5) == (estimates.mean[0, 3], estimates.std[0, 3])


@pytest.mark.parametrize("use", ["predict", "learn"])
def test_refuses_an_embedding_of_another_length(use):
    """Another encoder's embeddings are an error that says so, not a broadcast."""
    graph = learned(Graph(), table([EAST], [1.0]))

    with pytest.raises(ValueError, match=r"has 3 numbers but those learned have 2.*pointsman train"):
        graph.predict([towards([1, 0, 0])], [A]) if use == "predict" else graph.learn(table([[1, 0, 0]], [1.0]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"neighbours": 0},
        {"max_rows": 0},
        {"hops": -1},
        {"retain": 1.5},
        {"task_weight": -1.0},
        {"model_weight": -1.0},
        {"shrinkage": -1.0},
    ],
    ids=str,
)
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value}"):
        Graph(**wrong)


def test_predicts_without_scientific_libraries():
    """Neither scikit-learn nor SciPy is loaded before something is fitted."""
    code = "import sys, routers.estimators.graph; print({'sklearn', 'scipy'} & set(sys.modules))"

    assert "set()\n" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=12),
    st.floats(0, 10),
    st.integers(1, 15),
    st.integers(0, 3),
)
def test_estimate_lies_within_the_rewards(rows, shrinkage, neighbours, hops):
    """A mean of rewards is neither above the best nor below the worst of them."""
    graph = Graph(neighbours, hops, shrinkage=shrinkage)
    learned(graph, table([row[1:] for row in rows], [row[0] for row in rows]))
    rewards = [row[0] for row in rows]

    assert min(rewards) - 1e-5 <= mean(graph, towards(EAST)) <= max(rewards) + 1e-5
    assert 0 <= std(graph, towards(EAST)) <= 0.5
