from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateway.constraints import UNBOUNDED, Constraints
from gateway.eligibility import Ability, Demand, Eligibility
from routers.types import Candidate, Price

NAMES = ("a", "b", "c", "d")
POOL = tuple(
    Candidate(name, Price(Decimal(n), Decimal(2 * n))) if n else Candidate(name) for n, name in enumerate(NAMES)
)
ELIGIBILITY = Eligibility({name: Ability() for name in NAMES})
LATENCIES = {"a": 1.0, "b": 2.0, "c": 3.0}

names = st.frozensets(st.sampled_from(NAMES))
bound = st.none() | st.floats(0, 0.01)
constraints = st.builds(
    Constraints,
    quality_weight=st.none() | st.floats(0, 1),
    max_cost_usd=bound,
    max_latency_s=st.none() | st.floats(0.5, 4),
    allow=st.none() | names,
    deny=names,
    data_classes=st.frozensets(st.sampled_from(["public", "internal"])),
)


def eligible(constraints: Constraints) -> set[str]:
    demand = Demand(constraints, prompt_tokens=1000, completion_tokens=1000, latencies_s=LATENCIES)
    return set(NAMES) - set(ELIGIBILITY.removed(POOL, demand))


def bounds(constraints: Constraints) -> Constraints:
    """Return the constraints without the dial, which knows no tighter."""
    return UNBOUNDED.tightened(constraints).tightened(Constraints(quality_weight=0.5))


@given(constraints, constraints)
def test_who_is_eligible_under_both_is_eligible_under_each(one, other):
    """Tightening never lets anybody in, and lets nobody out whom both let in."""
    both = one.tightened(other)

    assert eligible(one) & eligible(other) == eligible(both)
    assert one.data_classes | other.data_classes == both.data_classes


@given(constraints, constraints)
def test_the_order_means_nothing_but_for_the_dial(one, other):
    """Whether the key or the caller comes first, the bounds are the same."""
    assert bounds(one.tightened(other)) == bounds(other.tightened(one))


@given(constraints, constraints, constraints)
def test_grouping_means_nothing(one, other, third):
    """Policy, key and caller may be joined in any grouping, the dial included."""
    assert one.tightened(other).tightened(third) == one.tightened(other.tightened(third))


@given(constraints)
def test_no_bound_changes_nothing_and_the_same_bound_neither(one):
    """`UNBOUNDED` is neutral on both sides; a bound is not tighter twice."""
    assert one == one.tightened(UNBOUNDED) == UNBOUNDED.tightened(one) == one.tightened(one)


@given(constraints, constraints)
def test_the_dial_is_where_it_was_turned_last(one, other):
    """The later one wins where it says anything."""
    expected = one.quality_weight if other.quality_weight is None else other.quality_weight

    assert expected == one.tightened(other).quality_weight


def test_allowing_nobody_is_a_bound():
    """An empty list is not the same as none."""
    assert set() == eligible(Constraints(allow=frozenset()))
    assert set(NAMES) == eligible(Constraints(allow=None))
