from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.loader import ConfigError
from gateway.replay.requirement import QUANTITIES, SCALES, WITH_POINTS, Clause, parse_requirement

ENDS = st.floats(-100, 100)
CLAUSES = st.builds(
    lambda quantity, sign, bound, unit: (quantity, sign, bound, unit),
    st.sampled_from(QUANTITIES),
    st.sampled_from(["<", "<=", ">", ">="]),
    st.floats(-1000, 1000).map(lambda value: round(value, 3)),
    st.sampled_from(sorted(SCALES)),
).filter(lambda one: SCALES[one[3]] != "points" or one[0] in WITH_POINTS)


def test_the_example_is_read():
    """Percent are relative changes."""
    cost, quality = parse_requirement("cost<-10% and quality>-0.5%")

    assert Clause("cost", "<", -0.1, "relative") == cost
    assert Clause("quality", ">", -0.005, "relative") == quality


@given(st.lists(CLAUSES, min_size=1, max_size=4), st.sampled_from(["", " ", "  "]))
def test_what_is_written_is_read(written, space):
    """However it is spaced; a clause, written, is read as itself."""
    text = " and ".join(
        f"{quantity}{space}{sign}{space}{bound}{space}{unit}" for quantity, sign, bound, unit in written
    )
    found = parse_requirement(text)

    assert [(q, s) for q, s, _, _ in written] == [(one.quantity, one.sign) for one in found]
    for (_, _, bound, unit), one in zip(written, found, strict=True):
        assert SCALES[unit] == one.scale
        assert bound == pytest.approx(one.bound * (1 if one.scale == "value" else 100), abs=1e-9)
    again = parse_requirement(" and ".join(map(str, found)))
    assert [one.bound for one in found] == pytest.approx([one.bound for one in again], rel=1e-9, abs=1e-12)


@given(st.text(max_size=30))
def test_anything_is_read_or_refused_in_words(text):
    """There is no third way."""
    try:
        parse_requirement(text)
    except ConfigError as error:
        assert str(error).startswith("--require: ")  # noqa: PT017 - it may as well be a requirement


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is nothing in it"),
        ("cost", "'cost' is no bound"),
        ("cots<5%", "nothing is known of 'cots'; did you mean 'cost'?"),
        ("cost<5kg", "'kg' is no unit"),
        ("cost<5pt", "cost has no points"),
        ("cost<5% or quality>0", "is no bound"),
        ("cost<5% and", "is no bound"),
        ("cost<1<2", "is no"),
    ],
)
def test_what_is_wrong_is_said(text, said):
    """With what to write instead."""
    with pytest.raises(ConfigError) as error:
        parse_requirement(text)

    assert said in str(error.value)


@given(CLAUSES, ENDS, ENDS)
def test_a_bound_holds_if_all_of_the_interval_does(written, one, other):
    """It is broken if none does, and open if some does; never both."""
    quantity, sign, bound, unit = written
    clause = Clause(quantity, sign, bound, SCALES[unit])
    interval = min(one, other), max(one, other)
    points = [clause.holds((end, end)) for end in interval]

    assert all(points) == clause.holds(interval)
    assert (not any(points)) == clause.fails(interval)


def test_the_edge_is_told_apart():
    """Less, or less and equal."""
    below, at_most = parse_requirement("errors<0.01 and errors<=0.01")

    assert not below.holds((0.0, 0.01))
    assert at_most.holds((0.0, 0.01))
