import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.battles import Battles
from routers.types import Outcomes

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]
NAN = np.nan


def table(rewards, embeddings=None):
    """Outcomes of models a, b, c without costs."""
    rewards = np.array(rewards, np.float32).reshape(-1, 3)
    embeddings = np.tile(EAST, (len(rewards), 1)) if embeddings is None else embeddings
    gap = np.full_like(rewards, NAN)
    return Outcomes(("a", "b", "c"), np.array(embeddings, np.float32), rewards, gap, gap)


def of(rewards, limit=100, embeddings=None, **kwargs):
    """Battles of a table."""
    return Battles.of(table(rewards, embeddings), np.random.default_rng(0), limit, **kwargs)


def written(battles):
    """Each battle as (row, first, second, result)."""
    names = battles.models
    columns = (battles.rows, battles.firsts, battles.seconds, battles.results)
    return sorted(
        (int(row), names[one], names[other], float(result)) for row, one, other, result in zip(*columns, strict=True)
    )


def test_makes_a_battle_of_every_two_rewards_that_differ():
    """Of 1, 0, 1 the two equal ones do not fight."""
    assert [(0, "a", "b", 1.0), (0, "b", "c", 0.0)] == written(of([[1.0, 0.0, 1.0]]))


def test_ties_count_if_wanted():
    """Equal rewards are a result of one half."""
    assert [(0, "a", "b", 1.0), (0, "a", "c", 0.5), (0, "b", "c", 0.0)] == written(of([[1.0, 0.0, 1.0]], ties=True))


def test_what_was_not_observed_does_not_fight():
    """A gap leaves one battle of three, ties or not."""
    assert [(0, "a", "c", 0.0)] == written(of([[0.0, NAN, 1.0]], ties=True))


def test_row_without_embedding_is_left_out():
    """Zeros and NaN are no request that one could be like."""
    rewards = [[1.0, 0.0, 0.0]] * 3

    assert {2} == set(of(rewards, embeddings=[[0, 0], [NAN, NAN], NORTH]).rows)


@pytest.mark.parametrize("rewards", [[], [[NAN, NAN, NAN]], [[0.5, 0.5, 0.5]]])
def test_there_may_be_none(rewards):
    """No rows, gaps alone, or ties alone."""
    assert 0 == len(of(rewards))


@given(
    st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0, NAN]), min_size=3, max_size=3), max_size=8), st.integers(1, 12)
)
def test_a_sample_is_of_the_battles_there_are(rewards, limit):
    """Beyond the limit some are drawn, each at most once."""
    everything, some = written(of(rewards)), written(of(rewards, limit))

    assert min(limit, len(everything)) == len(some) == len(set(some))
    assert set(some) <= set(everything)


def test_append_renumbers_rows_and_models():
    """Of two batches that name the models differently, each keeps its own winners."""
    first = Battles.won(np.array([EAST], np.float32), ["a"], ["b"])
    both = first.append(Battles.won(np.array([NORTH], np.float32), ["c"], ["a"]), 10)

    assert [(0, "a", "b", 1.0), (1, "c", "a", 1.0)] == written(both)
    assert [EAST, NORTH] == both.embeddings.tolist()


def test_append_drops_the_oldest():
    """Of three battles two are kept, and so are their requests alone."""
    battles = Battles.won(np.array([EAST, NORTH], np.float32), ["a", "b"], ["b", "a"])
    kept = battles.append(battles.take(np.array([0])), 2)

    assert [(0, "b", "a", 1.0), (1, "a", "b", 1.0)] == written(kept)
    assert [NORTH, EAST] == kept.embeddings.tolist()


def test_appending_nothing_adds_nothing():
    """No battles have embeddings of no length, which is no mistake."""
    battles = Battles.won(np.array([EAST], np.float32), ["a"], ["b"])

    assert written(battles) == written(battles.append(Battles.empty(), 10))


def test_tally_counts_results_of_both_sides():
    """One won once and tied once, which is 1 and 0.5; the other lost and tied."""
    battles = Battles.won(np.array([EAST, NORTH], np.float32), ["a", "b"], ["b", "a"], ties=[False, True])

    assert [[2, 2], [1.5, 0.5], [1.25, 0.25]] == battles.tally().moments.tolist()


def test_state_is_restored():
    """Arrays by name, and back."""
    battles = Battles.empty().append(Battles.won(np.array([EAST, NORTH], np.float32), ["a", "b"], ["b", "c"]), 10)
    restored = Battles.restored(battles.state())

    assert written(battles) == written(restored)
    assert battles.embeddings.tolist() == restored.embeddings.tolist()


def test_refuses_a_battle_of_a_model_with_itself():
    """The message names the battle and the model."""
    with pytest.raises(ValueError, match="battle 1 is one of 'b' with itself"):
        Battles.won(np.array([EAST, NORTH], np.float32), ["a", "b"], ["b", "b"])


@pytest.mark.parametrize("result", [1.5, -0.5, NAN])
def test_refuses_an_impossible_result(result):
    """A result lies between lost and won."""
    place = np.zeros(1, np.intp)

    with pytest.raises(ValueError, match="battle 0 has the result"):
        Battles(("a", "b"), np.array([EAST], np.float32), place, place, place + 1, np.array([result]))


def test_refuses_columns_of_different_lengths():
    """The message says which lengths there are."""
    place = np.zeros(1, np.intp)

    with pytest.raises(ValueError, match=r"\[1, 2\]"):
        Battles(("a", "b"), np.array([EAST], np.float32), place, place, place + 1, np.ones(2))


def test_refuses_embeddings_of_another_length():
    """Another encoder's embeddings are an error that says so."""
    battles = Battles.won(np.array([EAST], np.float32), ["a"], ["b"])

    with pytest.raises(ValueError, match=r"has 3 numbers but those learned have 2.*pointsman train"):
        battles.append(Battles.won(np.ones((1, 3), np.float32), ["a"], ["b"]), 10)
