from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from routers.sequential.evidence import CLUSTERS, LARGEST, Row, clusters_of, sums_of, totals_of
from routers.sums import Sums

row = st.builds(
    Row,
    st.sampled_from(["errors", "cost"]),
    st.integers(0, CLUSTERS - 1),
    st.floats(0, 1e7),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    st.booleans(),
)


@given(st.lists(row, max_size=30), st.integers(1, 6), st.randoms(use_true_random=False))
def test_order_and_grouping_do_not_matter(rows, parts, rng):
    """However many replicas see it in whatever order, the sums are the same to the last bit."""
    whole = sums_of(rows)
    shuffled = rng.sample(rows, len(rows))
    groups = [sums_of(shuffled[n::parts]) for n in range(parts)]
    rng.shuffle(groups)
    total = Sums()
    for group in groups:
        total += group

    assert whole == total


@given(st.lists(row, min_size=1, max_size=20))
def test_what_is_taken_back_leaves_no_trace(rows):
    """Feedback that changes is taken out of the sums, and put in again."""
    half = random.Random(len(rows)).sample(rows, len(rows) // 2)

    assert sums_of(rows) == sums_of(rows) + sums_of(half) - sums_of(half)


def test_rows_are_counted_by_side_and_cluster():
    """Weights, values times weights, controls; and squares of weights over all clusters."""
    sums = sums_of(
        [
            Row("errors", 3, 1.0, 0.5, 0.25, 0.25, (0.125, 0.0), promoted=True),
            Row("errors", 3, 0.0, 0.5, 0.25),
            Row("errors", CLUSTERS + 4, 2 * LARGEST, 0.0, 0.5),
        ]
    )

    assert [1.0, 0.5, 0.5, 0.25, 0.125, 0.0, 0.25] == clusters_of(sums, "errors")[3].tolist()
    assert [0.0, 0.5, 0.0, 0.5 * LARGEST, 0.0, 0.0, 0.0] == clusters_of(sums, "errors")[4].tolist()
    assert [1, 2, 0.5, 0.375, 0.25] == totals_of(sums, "errors").tolist()
    assert not clusters_of(sums, "cost").any()
    assert not totals_of(sums, "cost").any()
