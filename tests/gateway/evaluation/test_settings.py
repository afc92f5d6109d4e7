from __future__ import annotations

import pytest

from gateway.evaluation.problem import EvaluationError
from gateway.evaluation.settings import Settings, engine_name, split_names, split_pair


def test_names_may_be_given_one_by_one_or_with_commas():
    """None at all is all of them."""
    assert ("knn", "ridge", "zero") == split_names(["knn, ridge", "zero"])
    assert ("all",) == split_names(None)


def test_a_pair_is_strong_then_weak():
    """Blanks do not count."""
    assert ("big", "small") == split_pair("big, small")
    assert split_pair(None) is None


@pytest.mark.parametrize("written", ["big", "big,", "big,big", "a,b,c", ""])
def test_what_is_no_pair_is_refused(written):
    """The message says how it is written."""
    with pytest.raises(EvaluationError, match="STRONG,WEAK"):
        split_pair(written)


def test_jobs_are_short_for_an_engine():
    """One is no process of its own."""
    assert ("processes", "dask", "serial", "processes:3") == (
        engine_name(None, None), engine_name("dask", None), engine_name(None, 1), engine_name(None, 3)
    )  # fmt: skip


@pytest.mark.parametrize(("engine", "jobs", "said"), [("dask", 2, "leave one out"), (None, 0, "at least 1")])
def test_jobs_that_cannot_be_are_refused(engine, jobs, said):
    """Both options at once, or no job."""
    with pytest.raises(EvaluationError, match=said):
        engine_name(engine, jobs)


@pytest.mark.parametrize(
    ("settings", "said"), [({"seeds": 0}, "--seeds: 0"), ({"test_fold": "train"}, "judge on another fold")]
)
def test_settings_that_cannot_be_are_refused(settings, said):
    """No seed, or judging what was learned."""
    with pytest.raises(EvaluationError, match=said):
        Settings(**settings)
