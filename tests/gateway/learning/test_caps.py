from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.learning.caps import NOTCHES, caps_of, mark_of, moved, turned_down, weighed
from gateway.learning.rewards import Voice
from gateway.learning.trust import STEPS, TrustRules

MASSES = st.dictionaries(st.sampled_from(["", "a", "b", "c", "d"]), st.integers(1, 1000 * STEPS), max_size=5)


@given(MASSES, st.floats(0.05, 0.9), st.floats(0, 100))
def test_nobody_weighs_more_than_his_share_or_the_allowance(callers, share, allowance):
    """Of all that is counted in the end; who says less is not turned down."""
    caps = caps_of({"m": callers}, TrustRules(share, allowance))
    counted = {mark: steps * 2.0 ** (-caps.get(("m", mark), 0) / NOTCHES) for mark, steps in callers.items()}
    # At the level, before notches are rounded: everybody has at least half a notch less.
    most = {mark: min(steps, counted[mark] * 2 ** (1 / NOTCHES)) for mark, steps in callers.items()}
    level = max(allowance * STEPS, share * sum(most.values()))

    assert all(counted[mark] <= level * (1 + 1e-9) for mark in callers if mark)
    assert ("m", "") not in caps


@given(MASSES, st.integers(1, 10))
def test_it_does_not_matter_how_masses_came_together(callers, parts):
    """What was said in parts is what was said at once, and what is taken away leaves nothing."""
    whole = {"m": callers}
    pieces = [
        {"m": {mark: steps * n // parts - steps * (n - 1) // parts for mark, steps in callers.items()}}
        for n in range(1, parts + 1)
    ]
    found = {}
    for piece in pieces:
        found = moved(found, piece)

    assert moved({}, whole) == found
    assert {} == moved(found, whole, -1)


def test_a_share_of_one_is_no_cap():
    """Nor is there one for graders, and for callers that are not told apart."""
    assert {} == caps_of({"m": {"a": 10**12}}, TrustRules(share=1.0))
    assert ["", "", 16] == [mark_of(""), mark_of("trusted:lab"), len(mark_of("key_1"))]


@pytest.mark.parametrize("allowance", [0.0, 1.0])
def test_who_may_say_nothing_says_nothing(allowance):
    """Without an allowance the first word of the only caller does not count, since it would be all that is said."""
    voice = Voice("a", 1.0, 1.0)
    caps = caps_of({"m": weighed([voice])}, TrustRules(0.2, allowance))

    assert ([voice] if allowance else []) == turned_down([voice], "m", caps)
