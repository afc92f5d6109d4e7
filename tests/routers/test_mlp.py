import numpy as np
import pytest

from routers.checks import check_estimator
from routers.estimators.mlp import MLP
from routers.types import Context
from tests.tables import EAST, NAN, NORTH, WEST, A, B, learned, mean, std, table, towards


def eager(**options):
    """Return a small network that learns fast."""
    return MLP(**{"hidden": 16, "epochs": 60, "learning_rate": 0.01, "weight_decay": 0.0} | options)


def circle(n, seed=0):
    """Points around a circle, and whether they lie in opposite quarters: what no line tells apart."""
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, n)
    points = np.column_stack([np.cos(angles), np.sin(angles)])
    return points, points[:, 0] * points[:, 1] > 0


def test_passes_the_battery():
    """What every estimator must do."""
    check_estimator(lambda: MLP(hidden=16, epochs=5, max_rows=100))


def test_learns_what_no_line_can():
    """Opposite quarters of a circle are told from the others."""
    mlp = learned(eager(), table(*circle(400)))
    points, inside = circle(200, seed=1)

    found = mlp.predict([towards(point) for point in points], [A]).mean[:, 0]

    assert 0.9 < (inside == (found > 0.5)).mean()


def test_much_decay_leaves_the_models_mean():
    """Nothing but the means remains, of each model its own."""
    mlp = learned(eager(weight_decay=90), table([EAST, WEST] * 20, [[1.0, 0.0], [0.5, 0.5]] * 20))

    assert pytest.approx([0.75, 0.25], abs=0.02) == [mean(mlp, towards(EAST), model) for model in (A, B)]


def test_gaps_teach_nothing():
    """A model observed on half the rows is told apart there as if the others were not."""
    points, inside = circle(400)
    rewards = np.column_stack([inside, np.where(np.arange(400) % 2, inside, NAN)])
    mlp = learned(eager(), table(points, rewards))
    asked, truth = circle(200, seed=1)

    found = mlp.predict([towards(point) for point in asked], [A, B]).mean

    assert (0.85 < (truth[:, None] == (found > 0.5)).mean(axis=0)).all()


def test_two_standard_errors_cover_nearly_all_of_the_truth():
    """Chances that rise and fall smoothly around the circle, learned from answers that are right or wrong."""
    (points, _), (asked, _) = circle(1000), circle(300, seed=1)
    known, truth = (1 / (1 + np.exp(-6 * p[:, 0] * p[:, 1])) for p in (points, asked))
    mlp = learned(eager(hidden=32, epochs=20), table(points, np.random.default_rng(2).random(1000) < known))

    estimates = mlp.predict([towards(point) for point in asked], [A])

    missed = np.abs(estimates.mean[:, 0] - truth)
    assert 0.85 < (missed < 2 * estimates.std[:, 0]).mean() <= 1
    assert estimates.std.max() < 0.1


def test_error_shrinks_with_more_rows():
    """Ten times the rows, a smaller error."""
    few, many = (learned(eager(epochs=5), table(*circle(n))) for n in (40, 400))

    assert std(many, towards(EAST)) < std(few, towards(EAST)) <= 0.5


def test_seed_decides_the_draws():
    """The same seed gives the same estimate, another one another."""
    one, same, other = (mean(learned(eager(seed=s, epochs=3), table(*circle(50))), towards(EAST)) for s in (1, 1, 2))

    assert one == same != other


@pytest.mark.parametrize(
    ("embeddings", "rewards", "expected"),
    [
        ([], [], 0.5),
        ([EAST], [0.25], 0.25),
        ([EAST, EAST], [0.25, 0.75], 0.5),
        ([EAST, WEST], [1.0, 1.0], 1.0),
        ([[0, 0]], [0.75], 0.75),
        ([EAST], [NAN], 0.5),
    ],
)
def test_does_with_little(embeddings, rewards, expected):
    """No row, one, one twice, all right, none with an embedding, none observed."""
    mlp = MLP()
    mlp.learn(table(np.array(embeddings).reshape(-1, 2), rewards))

    assert pytest.approx(expected, abs=0.02) == mean(mlp, towards(NORTH))
    assert 0 < std(mlp, towards(NORTH)) <= 0.5


def test_request_without_embedding_gets_the_models_mean():
    """So does a model none of whose rows has an embedding."""
    mlp = learned(MLP(), table([EAST, WEST, [0, 0]], [[1.0, NAN], [0.0, NAN], [0.5, 0.25]]))

    assert [0.5, 0.25] == [mean(mlp, Context("", 1)), mean(mlp, towards(EAST), B)]


def test_new_model_comes_later():
    """Rows learned before a model was known have no outcome for it."""
    mlp = learned(eager(epochs=1), table([EAST, WEST], [1.0, 0.0]))
    mlp.learn(table([EAST], [0.75], models="b"))

    assert pytest.approx(0.75, abs=0.1) == mean(mlp, towards(EAST), B)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden": 0},
        {"epochs": 0},
        {"max_rows": 0},
        {"learning_rate": 0.0},
        {"learning_rate": NAN},
        {"weight_decay": -1.0},
        {"weight_decay": 5000.0},
        {"seed": -1},
    ],
)
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value}"):
        MLP(**wrong)
