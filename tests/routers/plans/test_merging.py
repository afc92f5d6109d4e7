import math

import pytest

from routers.plans.merging import LEAST, weight_of
from routers.types import Answer, Candidate, Estimate


@pytest.mark.parametrize(
    ("mean", "weight"),
    [(0.5, LEAST), (0.75, math.log(3)), (0.9, math.log(9)), (1.0, math.log(49)), (0.1, LEAST), (0.0, LEAST)],
)
def test_votes_weigh_by_log_odds(mean, weight):
    """Nobody's vote counts for all, and nobody's against what he says."""
    assert weight == pytest.approx(weight_of({"m": Estimate(mean)}, Answer(Candidate("m"))))


def test_of_whom_nothing_is_expected_the_vote_is_a_vote():
    """As long as nobody knows better."""
    assert 1.0 == weight_of({}, Answer(Candidate("m")))
