from __future__ import annotations

import pytest

from gateway.learning.snapshots import KEPT, LABEL, Label, Snapshots
from routers.registry import build_router
from routers.types import StateError

LEARNED = Label("digest", "content", 3, 1_000_000)


@pytest.fixture
def snapshots(tmp_path):
    return Snapshots(tmp_path / "learned")


def save(folder):
    build_router({"type": "ema"}).save(folder)


def test_a_snapshot_says_what_it_is(snapshots):
    """Its version, what it was learned from, and the digest of its state; a rule's router has a folder, too."""
    assert None is snapshots.newest("auto/rule")
    assert [1, 2] == [snapshots.write("auto/rule", LEARNED, save) for _ in range(2)]
    newest = snapshots.newest("auto/rule")

    assert (2, LEARNED, 64) == (newest.version, newest.label, len(newest.state))
    assert [] == snapshots.versions("auto")


def test_some_are_kept(snapshots):
    """The newest: a gateway may be reading one."""
    for _ in range(KEPT + 3):
        snapshots.write("auto", LEARNED, save)

    assert list(range(4, KEPT + 4)) == snapshots.versions("auto")


def test_what_was_not_finished_is_not_there(snapshots):
    """A learner that fails, or is killed while it writes, leaves the last one."""

    def fail(folder):
        save(folder)
        raise OSError("the disk is full")

    snapshots.write("auto", LEARNED, save)
    with pytest.raises(OSError, match="full"):
        snapshots.write("auto", LEARNED, fail)
    assert [1] == snapshots.versions("auto")
    assert 2 == snapshots.write("auto", LEARNED, save)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "digest": "d"}', "\x00"])
def test_a_damaged_label_is_refused(snapshots, tmp_path, text):
    """With the file's name."""
    snapshots.write("auto", LEARNED, save)
    (tmp_path / "learned" / "auto" / "1" / LABEL).write_text(text)

    with pytest.raises(StateError, match=LABEL):
        snapshots.newest("auto")
