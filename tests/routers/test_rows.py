import numpy as np
import pytest

from routers.rows import Rows, appended, usable
from tests.tables import EAST, NORTH, WEST, table

ROWS = Rows.empty().append(table([WEST, EAST, NORTH, [0.6, 0.8]], [0.0, 1.0, 0.5, 0.25]), max_rows=10)


def test_nearest_are_in_the_rows_own_order():
    """Not in that of their cosines."""
    near, cosines = ROWS.nearest(np.array(NORTH, np.float32), 2)

    assert [2, 3] == near.tolist()
    assert pytest.approx([1, 0.8], abs=1e-3) == cosines


def test_row_left_out_is_nobodys_neighbour():
    """It counts as one at a right angle."""
    near, cosines = ROWS.nearest(np.array(NORTH, np.float32), 3, but=2)

    assert 3 in near
    assert 0.9 > max(cosines)


@pytest.mark.parametrize(("rows", "embedding"), [(ROWS, None), (Rows.empty(), np.array(EAST, np.float32))])
def test_nothing_is_near_without_an_embedding_or_rows(rows, embedding):
    """Both are empty."""
    near, cosines = rows.nearest(embedding, 3)

    assert 0 == len(near) == len(cosines)


def test_first_embeddings_may_be_of_any_length():
    """Those that come later may not."""
    first = appended(np.zeros((0, 0), np.float32), np.eye(3, dtype=np.float32))

    assert np.eye(3).tolist() == first.tolist()
    with pytest.raises(ValueError, match="has 2 numbers but those learned have 3"):
        appended(first, np.eye(2, dtype=np.float32))


@pytest.mark.parametrize(
    ("embedding", "expected"), [(None, False), ([0.0, 0.0], False), ([1.0, np.nan], False), ([0.0, 0.1], True)]
)
def test_an_embedding_is_usable_that_says_something(embedding, expected):
    """One that is missing, zero throughout or not finite is none."""
    assert expected == usable(None if embedding is None else np.array(embedding, np.float32))


def test_of_equals_the_latest_are_near():
    """What was learned last of the same request is what holds now."""
    rows = Rows.empty().append(table([EAST, NORTH, EAST, EAST], [0.0, 1.0, 0.5, 0.25]), max_rows=10)

    assert [2, 3] == rows.nearest(np.array(EAST, np.float32), 2)[0].tolist()
