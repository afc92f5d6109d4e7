import numpy as np
import pytest

from routers.stacking import ATTENTION, Stacking, relevance

ALIKE = np.full(2, 0.5)


def planted(rows=400, seed=0):
    """Return what two members say of two models, and rewards: one knows who is better, the other who is hard."""
    generator = np.random.default_rng(seed)
    hard, suits = generator.standard_normal((2, rows))
    level, contrast = np.ones(2), np.array([1.0, -1.0])
    noise = np.outer(generator.standard_normal(rows), contrast)
    return np.stack([np.outer(suits, contrast), np.outer(hard, level) + noise]), np.outer(suits, contrast) + np.outer(
        hard, level
    )


def weights(said, rewards, models=ALIKE):
    """Return what the members weigh."""
    return Stacking.started(len(said), models).plus(said, rewards).weights()


def test_members_count_for_the_differences_that_they_know():
    """How hard a request is decides nothing."""
    assert [1, 0] == pytest.approx(weights(*planted()), abs=0.1)


def test_what_is_half_as_sure_counts_half():
    """A member that exaggerates twice is halved."""
    said, rewards = planted()

    assert [0.5] == pytest.approx(weights(2 * said[:1], rewards), abs=0.01)


def test_who_knows_nothing_gets_no_weight():
    """What is left is the means, from which nothing deviates."""
    said, _ = planted()
    noise = np.random.default_rng(1).standard_normal(said.shape[1:])

    assert 0.15 > weights(said, noise).max()


def test_weights_are_never_negative():
    """Also where a member says the contrary of what is true."""
    said, rewards = planted()

    assert [0, 0] == pytest.approx(weights(said, -rewards), abs=0.1)
    assert 0 <= weights(said, -rewards).min()


def test_models_that_are_never_chosen_need_not_be_known():
    """A member that is wrong of a third model, that does not matter, keeps its weight."""
    generator = np.random.default_rng(3)
    rewards = generator.standard_normal((400, 3))
    said = rewards * [1, 1, 0] + np.array([0, 0, 3]) * generator.standard_normal((400, 1))

    assert [1] == pytest.approx(weights(said[None], rewards, np.array([0.5, 0.5, 0.0])), abs=0.01)
    assert 0.6 > weights(said[None], rewards, np.full(3, 1 / 3))[0]


def test_sums_add_up():
    """Two batches give the weights that one gives."""
    said, rewards = planted()
    start = Stacking.started(2, ALIKE)
    in_two = start.plus(said[:, :150], rewards[:150]).plus(said[:, 150:], rewards[150:])

    assert np.allclose(weights(said, rewards), in_two.weights())


def test_a_row_of_one_model_tells_of_its_level():
    """There is no difference to fit, as in the log of a gateway."""
    generator = np.random.default_rng(4)
    rewards = generator.standard_normal((300, 2))
    seen = np.where(np.arange(2) == generator.integers(0, 2, (300, 1)), rewards, np.nan)

    assert [0.5] == pytest.approx(weights(2 * rewards[None], seen), abs=0.01)


def test_members_that_say_nothing_share_the_weight():
    """Nobody has proved anything."""
    assert [0.5, 0.5] == weights(np.zeros((2, 5, 2)), np.ones((5, 2))).tolist()


def test_restores_what_it_holds():
    """From plain arrays."""
    stacking = Stacking.started(2, ALIKE).plus(*planted())

    assert np.array_equal(stacking.weights(), Stacking.restored(stacking.state()).weights())


def test_relevance_is_how_often_a_model_would_be_chosen():
    """The dear one where it is better by more than it costs; the dominated one never."""
    shares = relevance(np.array([[0.5, 0.9, 0.4]] * 3), np.array([0.1, 1.0, 1.0]))

    assert 1 == pytest.approx(shares.sum())
    assert ATTENTION / 3 / (1 + ATTENTION) == pytest.approx(shares[2])
    assert min(shares[:2]) > 0.2


@pytest.mark.parametrize("costs", [[np.nan] * 3, [0.0] * 3])
def test_models_without_costs_count_alike(costs):
    """Nobody knows who would be chosen."""
    assert [1 / 3] * 3 == relevance(np.eye(3), np.array(costs)).tolist()
