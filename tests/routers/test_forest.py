import numpy as np
import pytest

from routers.estimators.forest import Forest
from routers.types import Candidate, Context, Outcomes

POOL = [Candidate("a"), Candidate("b")]


def units(rows, dimension=4, seed=0):
    """Return random directions."""
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def planted(rows=300, seed=0, *, tasks=False):
    """Return outcomes in which a is good where the second number is positive, and b where it is not."""
    embeddings = units(rows, seed=seed)
    good = embeddings[:, 1] > 0
    rewards = np.stack([good, ~good], axis=1).astype(np.float32)
    gap = np.full_like(rewards, np.nan)
    labels = tuple("up" if one else "down" for one in good) if tasks else ()
    return Outcomes(("a", "b"), embeddings, rewards, gap, gap, tasks=labels)


def means(forest, embeddings):
    """Return what is expected of both models."""
    return forest.predict([Context("", 1, embedding=one) for one in embeddings], POOL).mean


@pytest.mark.parametrize("tasks", [False, True])
def test_finds_who_is_good_where(tasks):
    """On requests that it has not seen, by the embedding alone or with the help of tasks."""
    forest = Forest(trees=30, leaf=5)
    forest.learn(planted(tasks=tasks))
    new = planted(100, seed=1)

    assert 0.9 < float((means(forest, new.embeddings).argmax(axis=1) == new.rewards.argmax(axis=1)).mean())


def test_leaf_is_the_shrunk_mean_of_its_rows():
    """Ten rows of a side, all good, and one observation of the model's mean."""
    forest = Forest(trees=3, leaf=10, shrinkage=1.0)
    sides = np.repeat(np.eye(2, dtype=np.float32), 10, axis=0)
    rewards = sides.copy()
    forest.learn(Outcomes(("a", "b"), sides, rewards, rewards, rewards))

    assert [[10.5 / 11, 0.5 / 11]] == pytest.approx(means(forest, sides[:1]), abs=1e-3)


def test_plain_numbers_are_split_as_they_are():
    """The last number says all, and varies too little to be a main direction."""
    generator = np.random.default_rng(0)
    embeddings = generator.standard_normal((400, 120)).astype(np.float32)
    embeddings[:, -1] = 0.02 * np.where(embeddings[:, -1] > 0, 1, -1)
    rewards = (embeddings[:, -1:] > 0).astype(np.float32)
    table = Outcomes(("a",), embeddings, rewards, rewards, rewards)
    errors = []
    for plain in (0, 1):
        forest = Forest(trees=20, plain=plain, share=1.0)
        forest.learn(table.take(range(300)))
        found = means(forest, embeddings[300:])[:, 0]
        errors.append(float(np.abs(found - rewards[300:, 0]).mean()))

    assert errors[1] < 0.1 < errors[0]


def test_gaps_are_left_out_of_leaves():
    """A model observed on every other row is judged by these."""
    table = planted(600)
    table.rewards[::2, 0] = np.nan
    forest = Forest(trees=30, leaf=10)
    forest.learn(table)
    new = planted(100, seed=1)

    assert 0.85 < float(((means(forest, new.embeddings)[:, 0] > 0.5) == new.rewards[:, 0]).mean())


def test_too_few_rows_leave_the_means():
    """Twenty are needed, or two leaves."""
    forest = Forest(leaf=10)
    forest.learn(planted(19))

    assert np.allclose(planted(19).rewards.mean(axis=0), means(forest, units(1)))


def test_more_of_the_same_makes_it_surer():
    """The standard error falls with the size of the leaves."""
    errors = []
    for leaf in (5, 50):
        forest = Forest(trees=10, leaf=leaf)
        forest.learn(planted(400))
        errors.append(float(forest.predict([Context("", 1, embedding=units(1)[0])], POOL).std.max()))

    assert errors[1] < errors[0]


def test_cross_prediction_does_not_know_its_own_rows():
    """Rewards that are noise are predicted from others, and so not at all; by those who saw them they are."""
    generator = np.random.default_rng(0)
    rewards = (generator.random((400, 1)) < 0.5).astype(np.float32)
    table = Outcomes(("a",), units(400, 20), rewards, rewards, rewards, tasks=("one", "two") * 200)
    forest = Forest(trees=30, leaf=2)
    crossed = forest.cross_predict(table, np.arange(400) % 5)[:, 0]
    forest.learn(table)
    seen = means(forest, table.embeddings)[:, 0]

    assert 0.2 > abs(np.corrcoef(crossed, rewards[:, 0])[0, 1])
    assert 0.8 < np.corrcoef(seen, rewards[:, 0])[0, 1]


def test_cross_prediction_learns_nothing():
    """What was learned before stays."""
    forest = Forest(trees=5, leaf=5)
    forest.learn(planted())
    before = means(forest, units(5))
    forest.cross_predict(planted(100, seed=2), np.arange(100) % 5)

    assert np.array_equal(before, means(forest, units(5)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trees": 0}, "trees=0, leaf=10 and max_rows=100000 must be at least 1"),
        ({"share": 0.0}, "share=0.0 must be above 0"),
        ({"share": 1.5}, "share=1.5 must be above 0 and at most 1"),
        ({"shrinkage": -1.0}, "shrinkage=-1.0 and plain=0 must not be negative"),
        ({"plain": -1}, "plain=-1 must not be negative"),
    ],
)
def test_refuses_options_without_a_meaning(options, message):
    """With the option's name and value."""
    with pytest.raises(ValueError, match=message):
        Forest(**options)
