import numpy as np
import pytest

from routers.cells import Cells, joined, of_part, spans_summed, under
from routers.fading import Fading
from routers.sums import Sums

FADING = Fading(1600.0)


def summed(times, part="x", groups=None):
    n = len(times)
    return spans_summed(part, FADING, (["a"] * n, groups or ["g"] * n, np.array(times, float)), np.ones((n, 1)))


def test_what_is_old_counts_for_less():
    """Half after the half-life, a quarter after two; what is to come counts whole."""
    sums = summed([0.0, 1600.0, 3200.0, 9999.0])
    (numbers,) = Cells.faded(sums, "x", FADING, now=3250.0).known.values()

    assert [0.25 + 0.5 + 1 + 1] == pytest.approx(numbers.tolist())


def test_parts_of_one_name_do_not_meet_under_others():
    """Each part finds its own again."""
    sums = joined([under("one", summed([0.0])), under("other", summed([0.0, 1.0]))])

    assert summed([0.0]) == of_part("one", sums)
    assert summed([0.0, 1.0]) == of_part("other", sums)
    assert Sums() == of_part("none", sums)


def test_a_group_may_be_called_anything():
    """Also as what stands between the parts of a name."""
    cells = Cells.faded(summed([0.0], groups=["a|b>c"]), "x", FADING, now=0.0)

    assert {("a", "a|b>c")} == cells.known.keys()


def test_a_table_counts_for_so_much_at_most():
    """Its means stay."""
    cells = Cells.of(["a"] * 4, ["g", "g", "h", "h"], np.array([[1, 1.0], [1, 0], [1, 1], [1, 1]]))

    assert [[1.0, 0.5], [1.0, 1.0]] == [cells.at_most(2).known["a", group].tolist() for group in "gh"]
    assert cells.at_most(10).known["a", "g"].tolist() == cells.known["a", "g"].tolist()


def test_state_passes_through_arrays():
    """Nothing is lost, of nothing neither."""
    for cells in (Cells(), Cells.of(["a", "b"], ["g", ""], np.array([[1.0, 2.0], [3.0, 4.0]]))):
        restored = Cells.restored(cells.state())

        assert {key: value.tolist() for key, value in cells.known.items()} == {
            key: value.tolist() for key, value in restored.known.items()
        }
