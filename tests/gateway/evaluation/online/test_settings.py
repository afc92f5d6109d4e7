from __future__ import annotations

import pytest

from gateway.evaluation.online.settings import Online, changes_of, telling_of
from gateway.evaluation.problem import EvaluationError
from routers.evaluation.bandit import Telling
from routers.evaluation.change import Change


def test_changes_are_read_as_they_are_written_the_first_first():
    """A model's name may hold what stands between the parts."""
    written = ["swap:a,b@0.6", "price:mixtral-8x7b-chatx2.5@0.5", "add:org/c:d@0.25", "remove:e@0.75"]
    changes = (
        Change("add", ("org/c:d",), 0.25),
        Change("price", ("mixtral-8x7b-chat",), 0.5, 2.5),
        Change("swap", ("a", "b"), 0.6),
        Change("remove", ("e",), 0.75),
    )

    assert changes == changes_of(written)
    assert changes == changes_of([str(change) for change in changes])
    assert () == changes_of(None)


@pytest.mark.parametrize(
    "written",
    [
        "price:a@0.5",
        "price:ax0@0.5",
        "price:ax-1@0.5",
        "price:axinf@0.5",
        "price:x2@0.5",
        "swap:a@0.5",
        "swap:a,a@0.5",
        "swap:a,@0.5",
        "add:@0.5",
        "add:a",
        "add:a@1",
        "add:a@0",
        "add:a@half",
        "drop:a@0.5",
        "",
    ],
)
def test_what_is_no_change_is_refused(written):
    """The message says how changes are written."""
    with pytest.raises(EvaluationError, match="must be one of price:MODELxFACTOR@SHARE"):
        changes_of([written])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"price": -1.0}, "--price"), ({"warm": 1.0}, "--warm"), ({"interval_s": 0.0}, "--interval")],
)
def test_settings_that_cannot_be_are_refused(wrong, said):
    """The message names the option."""
    with pytest.raises(EvaluationError, match=said):
        Online(**wrong)


@pytest.mark.parametrize(
    ("asked", "said"), [((0, 0, 0.0), "--batch"), ((None, -1, 0.0), "--delay"), ((None, 0, 1.0), "--missing")]
)
def test_tellings_that_cannot_be_are_refused(asked, said):
    """The message names the option."""
    with pytest.raises(EvaluationError, match=said):
        telling_of(*asked)


def test_a_batch_that_is_asked_for_holds_from_the_beginning():
    """Without one the first requests are learned from one by one."""
    assert (Telling(5, 0, 2, 0.1), Telling(delay=2)) == (telling_of(5, 2, 0.1), telling_of(None, 2, 0.0))
