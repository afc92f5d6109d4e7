import pytest

from routers.estimators.contrastive import Contrastive
from tests.tables import EAST, NORTH, A, B, C, learned, mean, specialists, table, towards


def make(**options):
    """Return a small estimator that learns fast."""
    return Contrastive(**({"dimension": 4, "epochs": 20, "learning_rate": 0.02, "clusters": 2} | options))


@pytest.mark.parametrize(
    "wrong",
    [
        {"dimension": 0},
        {"temperature": 0.0},
        {"positives": 0},
        {"negatives": 0},
        {"clusters": 0},
        {"cluster_weight": -1.0},
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"max_rows": 0},
    ],
)
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value}"):
        Contrastive(**wrong)


def test_two_good_models_are_not_forced_apart():
    """Where a and b are both good and c is not, both are expected to be."""
    estimator = learned(make(), table([EAST, NORTH] * 100, [[0.9, 0.9, 0.1], [0.1, 0.1, 0.9]] * 100))

    assert pytest.approx([0.9, 0.9, 0.1], abs=0.1) == estimator.predict([towards(EAST)], [A, B, C]).mean[0].tolist()


def test_there_may_be_fewer_different_rows_than_clusters():
    """Two different rows make two clusters."""
    assert 0.75 < mean(learned(make(clusters=8), specialists()), towards(EAST))
