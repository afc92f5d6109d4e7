from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from routers.checks.cases import outcomes
from routers.sample import Sample


def taken(parts, size):
    """Return the sample after these batches."""
    sample = Sample.empty()
    for part in parts:
        sample = sample.plus(part, size)
    return sample


@given(cuts=st.sets(st.integers(1, 59)), size=st.integers(1, 80), seed=st.integers(0, 9))
def test_neither_order_nor_batches_matter(cuts, size, seed):
    """Whatever way sixty rows arrive, the same ones are kept."""
    table = outcomes(60)
    shuffled = table.take(np.random.default_rng(seed).permutation(60))
    edges = [0, *sorted(cuts), 60]
    parts = [shuffled.take(range(start, stop)) for start, stop in pairwise(edges)]
    one, other = taken([table], size), taken(parts, size)

    assert np.array_equal(one.embeddings, other.embeddings)
    assert one.tasks.tolist() == other.tasks.tolist()
    assert min(size, 60) == len(one.ranks)


def test_drops_rows_without_an_embedding():
    """They cannot be near to anything."""
    table = outcomes(5)
    table.embeddings[1:3] = 0

    assert 3 == len(taken([table], 10).ranks)


def test_restores_what_it_holds():
    """The ranks follow from the rows."""
    sample = taken([outcomes(20)], 10)
    restored = Sample.restored(sample.state())

    assert np.array_equal(sample.ranks, restored.ranks)
    assert np.array_equal(sample.embeddings, restored.embeddings)
