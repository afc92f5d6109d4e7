import numpy as np

from routers.columns import spread, union


def test_union_keeps_the_known_order():
    """New models come after the known ones, each once."""
    assert ("b", "a", "c") == union(("b", "a"), ("c", "b"))


def test_spread_moves_columns_and_fills_gaps():
    """Columns follow their names; a new one is filled, one not asked for is left out."""
    moved = spread(np.array([[1.0, 2.0]]), ("a", "b"), ("b", "c"), -1.0)

    assert [[2.0, -1.0]] == moved.tolist()


def test_spread_of_no_columns_is_all_fill():
    """Nothing learned leaves nothing but gaps."""
    assert [[-1.0], [-1.0]] == spread(np.zeros((2, 0)), (), ("a",), -1.0).tolist()
