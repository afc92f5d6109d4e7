import numpy as np
import pytest

from routers.fit import estimate, learnable
from routers.rows import Rows
from routers.types import Candidate, Context

NAN = np.nan
ROWS = Rows.of(("a", "b"), np.eye(2, dtype=np.float32), np.array([[1.0, NAN], [0.0, NAN]], np.float32))
POOL = [Candidate("b"), Candidate("a"), Candidate("c")]
ANY = Context("", 1, embedding=np.array([1, 0], np.float32))


class Says:
    """A fit that says the same of every request."""

    def __init__(self, mean, std):
        self._said = np.array([mean, std])

    def at(self, embedding):
        return np.where(np.isnan(embedding).any(), np.nan, self._said)


def test_takes_what_the_fit_says():
    """In the order of the candidates; the one never observed has 0.5, give or take 0.5."""
    estimates = estimate(Says([0.25, NAN], [0.125, NAN]), ROWS, [ANY], POOL)

    assert [[0.5, 0.25, 0.5]] == estimates.mean.tolist()
    assert [[0.5, 0.125, 0.5]] == estimates.std.tolist()


@pytest.mark.parametrize("context", [Context("", 1), ANY])
def test_falls_back_to_the_mean(context):
    """Without an embedding, or where the fit says nothing."""
    estimates = estimate(Says([NAN, NAN], [NAN, NAN]), ROWS, [context], [Candidate("a")])

    assert 0.5 == estimates.mean[0, 0]
    assert pytest.approx(((0.5 + 0.25) / 3 / 2) ** 0.5) == estimates.std[0, 0]


def test_keeps_to_the_limits():
    """A reward is from 0 to 1, and its standard error at most a half."""
    estimates = estimate(Says([1.5, -0.5], [2.0, 0.25]), ROWS, [ANY], [Candidate("a"), Candidate("b")])

    assert [[1.0, 0.0]] == estimates.mean.tolist()
    assert [[0.5, 0.25]] == estimates.std.tolist()


def test_refuses_an_embedding_of_another_length():
    """Another encoder's embeddings are an error that says so."""
    with pytest.raises(ValueError, match=r"has 3 numbers but those learned have 2.*pointsman train"):
        estimate(Says([1, 1], [0, 0]), ROWS, [Context("", 1, embedding=np.ones(3, np.float32))], POOL)


def test_learnable_is_what_was_observed_of_what_has_an_embedding():
    """Neither a gap nor a row of zeros."""
    rows = Rows.of(("a", "b"), np.array([[1, 0], [0, 0]], np.float32), np.array([[1.0, NAN], [1.0, 1.0]], np.float32))

    assert [[True, False], [False, False]] == learnable(rows).tolist()
