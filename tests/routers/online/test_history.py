from __future__ import annotations

import numpy as np
import pytest

from routers.cells import Cells
from routers.online.history import OF_THE_CHANGED, History

NOISE = 0.2


def stretch(start, n, mean):
    """Return `n` rewards from a time on, of one feature that is always 1: n, r^2, r z, z z'."""
    return start, np.array([n, n * mean, n * mean, n])


def history(**models):
    return History.of(Cells(), models)


def test_a_model_whose_level_has_changed_is_found_and_since_when():
    """Others, whose level is what it was, are not."""
    found = history(
        same=[stretch(start, 50, mean) for start, mean in enumerate((0.6, 0.55, 0.64, 0.6))],
        worse=[stretch(start, 50, mean) for start, mean in enumerate((0.6, 0.6, 0.2, 0.25))],
    )
    expected = {"same": np.array([0.6]), "worse": np.array([0.41])}

    assert {"worse": 2} == found.changes(expected, NOISE)


def test_the_last_of_several_changes_counts():
    """What lies between two of them is of the past, too."""
    means = (0.9, 0.9, 0.2, 0.2, 0.7, 0.7)
    found = history(a=[stretch(start, 100, mean) for start, mean in enumerate(means)])

    assert {"a": 4} == found.changes({"a": np.array([0.6])}, NOISE)


def test_one_stretch_has_no_change():
    """Wherever its level is."""
    assert {} == history(a=[stretch(0, 500, 0.1)]).changes({"a": np.array([0.9])}, NOISE)


def test_of_what_was_before_only_a_trace_counts():
    """It says where to begin; what has not changed counts whole."""
    found = history(a=[stretch(0, 60, 0.5), stretch(1, 40, 0.5), stretch(2, 10, 0.9)], b=[stretch(0, 10, 0.5)])
    left = found.online - found.outdated({"a": 2})

    assert pytest.approx(10 + OF_THE_CHANGED) == left.known["a", ""][0]
    assert pytest.approx(9 + 0.5 * OF_THE_CHANGED) == left.known["a", ""][2]
    assert 10 == left.known["b", ""][0]


def test_a_table_is_the_oldest_stretch_and_not_learned_online():
    """A model that is not what its table says has changed."""
    table = Cells({("a", ""): stretch(0, 200, 0.9)[1]})
    found = History.of(table, {"a": [stretch(5, 50, 0.3)]})

    assert {"a": 5} == found.changes({"a": np.array([0.78])}, NOISE)
    assert 50 == found.online.known["a", ""][0]
    assert pytest.approx(200 - OF_THE_CHANGED) == found.outdated({"a": 5}).known["a", ""][0]
