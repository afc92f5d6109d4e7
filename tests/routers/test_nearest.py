import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.nearest import LEAST_ROWS, Sieve, greatest
from routers.rows import Rows, rounded_units

ROWS = 3000


def crowded(rows=ROWS, width=32, *, seed=0):
    """Return unit vectors of which most lies in a few directions, as in the embeddings of prompts; some come twice."""
    draw = np.random.default_rng(seed)
    vectors = draw.standard_normal((rows, width)) * 0.8 ** np.arange(width)
    vectors[1::10] = vectors[::10]
    return rounded_units(vectors.astype(np.float32))


def plainly(values, count):
    """Return where the greatest are, by sorting all."""
    return sorted(np.lexsort((np.arange(len(values)), values))[::-1][:count].tolist())


def searched(embeddings, embedding, count):
    """Return rows and cosines by a full search, and by a sieve."""
    rows = Rows.of(("a",), embeddings, np.zeros((len(embeddings), 1), np.float32))
    sieve = Sieve.of(embeddings)
    assert sieve is not None
    return rows.nearest(embedding, count), sieve.nearest(embedding[None], count)[0]


@given(st.lists(st.sampled_from([0.0, -0.25, 0.5, 1.0]), max_size=200), st.integers(1, 20))
def test_greatest_are_those_that_sorting_finds(values, count):
    """In their own order, the last of equals, all where there are no more."""
    column = np.array(values, np.float32)

    assert plainly(column, count) == greatest(column, count).tolist()


@pytest.mark.parametrize("size", [10, 1000])
def test_nothing_is_greatest_where_nothing_is_a_number(size):
    """NaN compares with nothing."""
    assert [] == greatest(np.full(size, np.nan, np.float32), 3).tolist()


@pytest.mark.parametrize("count", [1, 7, 40])
@pytest.mark.parametrize("seed", range(5))
def test_sieve_finds_what_a_full_search_finds(seed, count):
    """The same rows, with the same cosines to the last bit, for requests among the rows and between them."""
    embeddings = crowded(seed=seed)
    draw = np.random.default_rng(seed)
    requests = [*embeddings[:20], *rounded_units(embeddings[:20] + embeddings[draw.integers(0, ROWS, 20)])]

    for request in requests:
        whole, sifted = searched(embeddings, request, count)
        if sifted is not None:
            assert whole[0].tolist() == sifted[0].tolist()
            assert whole[1].tobytes() == sifted[1].tobytes()


def test_requests_are_told_together_what_each_is_told_alone():
    """The same rows and cosines, to the last bit, in the order of the requests; who cannot be told is told nothing."""
    embeddings = crowded()
    requests = np.concatenate([embeddings[:20], np.full((1, 32), np.nan, np.float32), 3 * embeddings[20:40]])
    sieve = Sieve.of(embeddings)

    together = sieve.nearest(requests, 7)

    assert together[20] is None
    for request, found in zip(requests, together, strict=True):
        (alone,) = sieve.nearest(request[None], 7)
        assert (alone is None) == (found is None)
        if alone is not None and found is not None:
            assert alone[0].tolist() == found[0].tolist()
            assert alone[1].tobytes() == found[1].tobytes()


def test_sieve_finds_rows_beside_the_directions_of_a_request_within_them():
    """What rounding leaves of a request beyond its directions may not hide a row that reaches far beyond them."""
    width, draw = 32, np.random.default_rng(3)
    vectors = np.zeros((ROWS, width))
    vectors[:, : width // 4] = draw.standard_normal((ROWS, width // 4))
    vectors[::50, -1] = 4
    embeddings = rounded_units(vectors.astype(np.float32))

    for request in rounded_units(np.where(np.arange(width) < width // 4, embeddings[1:30], 0)):
        whole, sifted = searched(embeddings, request, 40)
        assert sifted is not None
        assert whole[0].tolist() == sifted[0].tolist()


def test_sieve_tells_what_it_was_made_for():
    """Of requests like the rows most are answered by it."""
    embeddings = crowded()

    told = [searched(embeddings, request, 40)[1] is not None for request in embeddings[:50]]

    assert 40 < sum(told)


def test_sieve_leaves_a_request_of_another_length_exact():
    """A request that is no unit vector has the same neighbours."""
    embeddings = crowded()

    whole, sifted = searched(embeddings, 250 * embeddings[5], 40)

    assert whole[0].tolist() == sifted[0].tolist()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_sieve_cannot_tell_of_what_is_not_finite(value):
    """A full search has to say what then is near."""
    embeddings = crowded()

    assert [None] == Sieve.of(embeddings).nearest(np.full((1, 32), value, np.float32), 40)


def test_sieve_cannot_tell_of_a_large_part_of_the_rows():
    """Hundreds of neighbours are searched for among all."""
    embeddings = crowded()

    assert [None] == Sieve.of(embeddings).nearest(embeddings[:1], 400)


def test_few_rows_need_no_sieve():
    """They are searched sooner than sifted."""
    assert Sieve.of(crowded(LEAST_ROWS - 1)) is None


def test_rows_in_all_directions_are_seen_along_all():
    """Where a bound tells little, all of a row is looked at, and what is found stays the same."""
    embeddings = rounded_units(np.random.default_rng(0).standard_normal((ROWS, 256)).astype(np.float32))

    assert Sieve.of(embeddings).directions is None
    for request in embeddings[:20]:
        whole, sifted = searched(embeddings, request, 40)
        assert whole[0].tolist() == sifted[0].tolist()
        assert whole[1].tobytes() == sifted[1].tobytes()


def test_rows_without_embeddings_have_no_sieve():
    """Neither have those whose embeddings are of no length."""
    assert Sieve.of(np.zeros((ROWS, 0), np.float32)) is None
