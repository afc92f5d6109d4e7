from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.efforts import AS_ASKED, LEVELS, MOST_TOKENS, Effort, base_of, split, stands_for
from routers.types import Candidate

TOKENS = st.integers(1, MOST_TOKENS)
ROOM = st.none() | TOKENS


def at_level(level, most):
    return Effort(level=level, max_tokens=most)


EFFORTS = st.one_of(
    st.builds(at_level, st.sampled_from(LEVELS), ROOM),
    st.builds(Effort, max_tokens=TOKENS),
    st.tuples(TOKENS, ROOM)
    .filter(lambda both: both[1] is None or both[0] < both[1])
    .map(lambda both: Effort(budget=both[0], max_tokens=both[1])),
)
MODELS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@/-]{0,30}", fullmatch=True).filter(
    lambda name: split(name)[1] == AS_ASKED
)


@given(EFFORTS)
def test_what_is_written_is_read_back(effort):
    """Every effort has a spelling, which is read as that effort."""
    assert effort == Effort.read(str(effort))


@given(MODELS, EFFORTS)
def test_a_name_falls_into_its_model_and_its_effort(model, effort):
    """Also where the model's name has an @ of its own."""
    assert (model, effort) == split(f"{model}@{effort}")


@given(st.text())
def test_any_text_is_an_effort_or_an_error_that_says_what_is_allowed(text):
    """The parser never fails in another way, and what it takes it would write alike, but for `off`."""
    said = ""
    try:
        effort = Effort.read(text)
    except ValueError as error:
        said = str(error)

    assert re.search("write|at most|must be below", said) if said else text.replace("off", "none") == str(effort)


@pytest.mark.parametrize(
    ("written", "effort"),
    [
        ("off", Effort(level="none")),
        ("none", Effort(level="none")),
        ("xhigh", Effort(level="xhigh")),
        ("budget:2048", Effort(budget=2048)),
        ("max_tokens:500", Effort(max_tokens=500)),
        ("high,max_tokens:4000", Effort(level="high", max_tokens=4000)),
        ("budget:2048,max_tokens:4000", Effort(budget=2048, max_tokens=4000)),
    ],
)
def test_each_form(written, effort):
    """Level or budget, then perhaps a limit."""
    assert effort == Effort.read(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        ",",
        "low,",
        ",max_tokens:5",
        "lowmax_tokens:5",
        "LOW",
        "low,high",
        "low,budget:5",
        "max_tokens:5,low",
        "budget:0",
        "budget:05",
        "budget:-1",
        "budget:1e3",
        "budget:2000000",
        "max_tokens:9999999",
        "budget:500,max_tokens:500",
        "low ",
    ],
)
def test_everything_else_is_refused(written):
    """One spelling for each thing; a budget leaves room for an answer."""
    with pytest.raises(ValueError, match=r"effort|range|below"):
        Effort.read(written)


@pytest.mark.parametrize("name", ["gpt-5", "claude@vertex", "@low", "gpt-5@", "gpt-5@hgih", "low"])
def test_a_name_that_ends_in_no_effort_is_a_models(name):
    """All of it."""
    assert (name, AS_ASKED) == split(name)


def test_a_models_name_stands_for_it_at_every_effort():
    """And the name at an effort for that alone."""
    assert stands_for("gpt-5@low", {"gpt-5"})
    assert stands_for("gpt-5@low", {"gpt-5@low"})
    assert not stands_for("gpt-5@low", {"gpt-5@high", "gpt"})
    assert not stands_for("gpt-5", {"gpt-5@low"})


def test_a_candidate_tells_its_model_and_effort():
    """They are parts of its name, which is all that is logged."""
    candidate = Candidate("gpt-5@high,max_tokens:900")

    assert ("gpt-5", Effort(level="high", max_tokens=900)) == (candidate.base, candidate.effort)
    assert "gpt-5" == base_of("gpt-5@low")
