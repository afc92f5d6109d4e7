"""What the caps are for, whatever way they are reckoned: nobody teaches a router alone."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.learning.caps import caps_of, moved, turned_down, weighed
from gateway.learning.rewards import RewardRules, mixed, voices_of
from gateway.learning.trust import NOBODY, TRUSTED, TrustRules
from gateway.store.base import LoggedEvent
from gateway.store.checks import build_decision, build_feedback, build_outcome

REWARDS = RewardRules()
#: What is rounded up to a step is rounded by no more.
STEP = 1e-5


def rated(number, caller, value, source="user"):
    """Return an answer that one caller rated."""
    said = build_feedback(f"f{number}", number, kind="score", value=value, source=source, caller=caller)
    return LoggedEvent(build_decision(number), build_outcome(number), (said,))


def learned(events, rules):
    """Return the weight that each caller's words have in the end, and the mean of all rewards by weight."""
    heard = [voices_of(event, REWARDS) for event in events]
    masses = {}
    for voices in heard:
        masses = moved(masses, {"large": weighed(voices)})
    caps = caps_of(masses, rules)
    weights, weighted = defaultdict(float), 0.0
    for voices in heard:
        if (reward := mixed(turned_down(voices, "large", caps))) is not None:
            weights[voices[0].caller] += reward.weight
            weighted += reward.weight * reward.value
    return weights, weighted


VALUES = st.sampled_from([0.0, 0.3, 1.0])
SOURCES = st.sampled_from(["user", "judge", "implicit"])
HONEST = st.lists(st.tuples(st.sampled_from("bcdefgh"), VALUES, SOURCES), min_size=1, max_size=60)
RULES = st.builds(TrustRules, share=st.sampled_from([0.05, 0.2, 0.5, 0.9]), allowance=st.sampled_from([0.5, 3, 10]))


@given(rules=RULES, honest=HONEST, flood=st.integers(1, 1000), value=VALUES)
def test_a_flood_moves_a_mean_by_no_more_than_the_cap(rules, honest, flood, value):
    """However many ratings one caller sends: his part is bounded, nobody else's words weigh less for it."""
    events = [rated(n, *opinion) for n, opinion in enumerate(honest)]
    calm, _ = learned(events, rules)
    storm, weighted = learned([*events, *(rated(1000 + n, "flood", value) for n in range(flood))], rules)

    part, total = storm["flood"], sum(storm.values())
    assert part <= max(rules.allowance, rules.share * total) + STEP
    assert all(weight <= storm[caller] + STEP for caller, weight in calm.items())
    others = (weighted - part * value) / (total - part)
    assert abs(weighted / total - others) <= max(rules.share, rules.allowance / total) + STEP


def test_a_thousand_thumbs_down_do_little():
    """Among forty callers with ten ratings each, one with a thousand moves the mean by less than a fifth."""
    honest = [rated(n, f"caller-{n % 40}", 0.9) for n in range(400)]
    flood = [rated(1000 + n, "flood", 0.0) for n in range(1000)]
    weights, weighted = learned([*honest, *flood], TrustRules())

    assert 400 == pytest.approx(sum(weights.values()) - weights["flood"])
    assert 80 <= weights["flood"] <= 100
    assert 0.72 <= weighted / sum(weights.values()) <= 0.75


@pytest.mark.parametrize("caller", [NOBODY, f"{TRUSTED}callers.anna"])
def test_who_is_not_told_apart_or_is_a_grader_has_no_cap(caller):
    """Where nobody is asked for a key, all are one; graders are the operator's own."""
    weights, _ = learned([rated(n, caller, 1.0) for n in range(300)], TrustRules())

    assert 300 == weights[caller]
