import numpy as np
import pytest

from routers.kinds import Kinds, out_of_fold

AXES = np.repeat(np.eye(3, dtype=np.float32), 40, axis=0)
LABELS = np.repeat(["code", "law", "maths"], 40)
KNOWN = ["code", "law", "maths"]


def told(odds):
    """Return the likeliest task of each row."""
    return [KNOWN[place] for place in odds.argmax(axis=1)]


def test_tells_tasks_apart():
    """Odds are logarithms of chances, of which each row has one in all."""
    odds = Kinds.of(AXES, LABELS, KNOWN).log_odds(AXES)

    assert LABELS.tolist() == told(odds)
    assert np.exp(odds).sum(axis=1) == pytest.approx(1, abs=0.01)


def test_two_tasks_share_one_line():
    """Each still has its own odds."""
    odds = Kinds.of(AXES[:80], LABELS[:80], ["code", "law"]).log_odds(AXES[:80])

    assert LABELS[:80].tolist() == told(odds)


def test_a_task_that_no_row_has_is_never_told():
    """It keeps its column."""
    odds = Kinds.of(AXES[:80], LABELS[:80], KNOWN).log_odds(AXES[:80])

    assert (80, 3) == odds.shape
    assert odds[:, 2].max() < -6


@pytest.mark.parametrize("labels", [[""] * 120, ["code"] * 120])
def test_without_two_tasks_there_is_nothing_to_tell(labels):
    """No label, or the same for all."""
    known = sorted(set(labels) - {""})

    assert (120, 0) == Kinds.of(AXES, np.array(labels), known).log_odds(AXES).shape


def test_out_of_fold_does_not_know_its_own_label():
    """Labels that are noise are told by heart by who has seen them, and no better than by chance by others."""
    generator = np.random.default_rng(0)
    features = generator.standard_normal((150, 200)).astype(np.float32)
    labels = generator.choice(KNOWN, 150)
    crossed = np.mean(told(out_of_fold(features, labels, KNOWN, 0)) == labels)
    seen = np.mean(told(Kinds.of(features, labels, KNOWN).log_odds(features)) == labels)

    assert seen > 0.95
    assert crossed < 0.5


def test_restores_what_it_holds():
    """From plain arrays."""
    kinds = Kinds.of(AXES, LABELS, KNOWN)

    assert np.array_equal(kinds.log_odds(AXES), Kinds.restored(kinds.state()).log_odds(AXES))
