from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.promotion.trial import trial_of
from tests.gateway.promotion.evidence import RULES, standing


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_who_is_in_stays_in(unit, share, more):
    """A unit is on the same side whenever it is asked, and does not leave the candidate's as the share rises."""
    low, high = sorted((share, more))
    first, later = (trial_of(RULES, standing(share=one), unit) for one in (low, high))

    assert first == trial_of(RULES, standing(share=low), unit)
    assert first.side == "live" or later.side == "candidate"


def test_shares_are_kept():
    """Of many units so many are on the candidate's side; clusters are as large on either."""
    trials = [trial_of(RULES, standing(share=0.25), f"unit {n}") for n in range(8000)]
    sides = Counter(trial.side for trial in trials)
    clusters = Counter((trial.cluster % 2, trial.side) for trial in trials)

    assert 0.25 == pytest.approx(sides["candidate"] / 8000, abs=0.02)
    assert clusters[0, "candidate"] == pytest.approx(clusters[1, "candidate"], rel=0.15)


def test_another_version_deals_anew():
    """Nobody is always the first to try what is new."""
    other = replace(RULES, version="next@2")
    sides = [[trial_of(rules, standing(), f"{n}").side for n in range(200)] for rules in (RULES, other)]

    assert sides[0] != sides[1]


def test_a_sample_of_the_requests_is_decided_twice():
    """On either side, and only while something is tested."""
    rules = replace(RULES, sample=0.3)
    trials = [trial_of(rules, standing(share=0.5), f"{n}") for n in range(4000)]

    for side in ("candidate", "live"):
        compared = [trial.compared for trial in trials if trial.side == side]
        assert 0.3 == pytest.approx(sum(compared) / len(compared), abs=0.04)
    assert not trial_of(RULES, standing("live", 1.0), "x").compared
