from __future__ import annotations

import math

import numpy as np
import pytest

from routers.sequential.boundary import Boundary
from routers.sequential.contrast import Contrast
from routers.sequential.evidence import CLUSTERS, Row, sums_of
from routers.sequential.weights import by_side

BOUNDARY = Boundary(0.0125, tuned_at=2000)


def contrast(rows, doubt=1.0):
    return Contrast.of(sums_of(rows), "m", doubt)


def drawn(rng, count, share, candidate, live):
    """Return rows of both sides, whose values are what the two functions draw."""
    rows = []
    for _ in range(count):
        promoted = rng.random() < share
        weights = by_side("candidate" if promoted else "live", share)
        value = float(candidate(rng) if promoted else live(rng))
        rows.append(
            Row(
                "m",
                int(rng.integers(CLUSTERS)),
                value,
                weights.candidate,
                weights.live,
                weights.overlap,
                promoted=promoted,
            )
        )
    return rows


def coin(chance):
    return lambda rng: rng.random() < chance


def test_means_and_errors_are_those_of_two_samples():
    """At one share it is the difference of two means, with the usual standard error."""
    rng = np.random.default_rng(2)
    rows = drawn(rng, 4000, 0.25, coin(0.6), coin(0.5))
    one = np.array([row.value for row in rows if row.promoted])
    other = np.array([row.value for row in rows if not row.promoted])
    found = contrast(rows)
    mean, error = found.difference()

    assert one.mean() - other.mean() == pytest.approx(mean)
    assert math.sqrt(one.var() / len(one) + other.var() / len(other)) == pytest.approx(error, rel=0.15)
    assert 4000 * 0.25 * 0.75 == pytest.approx(found.information, rel=0.05)
    assert (len(one), len(other)) == (found.promoted, found.kept)


def test_shares_that_change_do_not_bias_it():
    """Quality falls with time while the share rises: in each stage both fall, and the difference is none."""
    rng = np.random.default_rng(3)
    rows = drawn(rng, 4000, 0.05, coin(0.8), coin(0.8)) + drawn(rng, 4000, 0.5, coin(0.4), coin(0.4))
    naive = np.mean([r.value for r in rows if r.promoted]) - np.mean([r.value for r in rows if not r.promoted])
    found = contrast(rows)
    mean, error = found.difference()

    assert naive < -0.15
    assert abs(mean) < 3 * error < 0.05


def test_requests_of_a_session_count_as_one():
    """Ten equal answers of a session tell no more than one: the error is that of the sessions."""
    rng = np.random.default_rng(4)
    once = drawn(rng, 1000, 0.5, coin(0.5), coin(0.5))
    mean, error = contrast([row for row in once for _ in range(10)]).difference()

    assert contrast(once).difference() == (pytest.approx(mean), pytest.approx(error, rel=0.05))


def test_control_variates_take_out_what_chance_did():
    """What was known of a request before takes as much out of the error as it explains."""
    rng = np.random.default_rng(5)
    plain, known = [], []
    for _ in range(4000):
        promoted, level = rng.random() < 0.5, float(rng.random() < 0.5)
        weights = by_side("candidate" if promoted else "live", 0.5)
        value = level + rng.normal(0, 0.1) + 0.02 * promoted
        pair = (weights.candidate * level - 0.25 * level, weights.live * level - 0.25 * level)
        cluster = int(rng.integers(CLUSTERS))
        args = ("m", cluster, value, weights.candidate, weights.live, weights.overlap)
        plain.append(Row(*args, promoted=promoted))
        known.append(Row(*args, pair, promoted=promoted))
    (_, rough), (mean, fine) = contrast(plain).difference(), contrast(known).difference()

    assert fine < rough / 3
    assert abs(mean - 0.02) < 4 * fine


def test_nothing_is_certain_before_enough_was_seen():
    """A few answers bound nothing, and what was never seen may still be."""
    rng = np.random.default_rng(6)
    few = contrast(drawn(rng, 12, 0.5, coin(1.0), coin(0.0)))
    spotless = contrast(drawn(rng, 40, 0.5, coin(0.0), coin(0.0)))

    assert (-math.inf, math.inf) == (few.at_least(BOUNDARY), few.at_most(BOUNDARY))
    assert (0.0, math.inf) == few.ratio(BOUNDARY)
    assert 0.2 < spotless.at_most(BOUNDARY) < 5
    assert math.isnan(contrast([]).candidate)
    assert not contrast([]).enough


def test_who_chooses_alike_differs_in_nothing():
    """Then no answer tells one from the other, and that is certain."""
    same = contrast([Row("m", n, float(n % 2), 0.25, 0.25, 0.25, promoted=n % 4 == 0) for n in range(200)])

    assert math.isinf(same.information)
    assert (0.0, 0.0) == (same.at_least(BOUNDARY), same.at_most(BOUNDARY))


def test_a_ratio_is_bounded_from_both_ends():
    """Half as much again is found, and how sure that is."""
    rng = np.random.default_rng(7)
    rows = drawn(rng, 6000, 0.5, lambda r: 1.5 * r.lognormal(0, 0.5), lambda r: r.lognormal(0, 0.5))
    found = contrast(rows, doubt=None)
    least, most = found.ratio(BOUNDARY)

    assert 1.3 < least < 1.5 < most < 1.7
    assert abs(found.at_least(BOUNDARY, least)) < 1e-4
    assert math.isfinite(found.deviation())
