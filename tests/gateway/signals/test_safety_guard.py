from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.safety import GuardCascade, SafetyReading


@dataclass
class Fixed:
    """A guard that always says the same, and counts how often it is asked."""

    jailbreak: float
    ood: float = 0.0
    asked: list[object] = field(default_factory=list)

    def score(self, text, embedding=None):
        assert isinstance(text, str)
        self.asked.append(embedding)
        return SafetyReading(self.jailbreak, 0.0, 1.0, self.ood, truncated=False)


@pytest.mark.parametrize(
    ("jailbreak", "ood", "asked"),
    [
        (0.01, 0.0, 0),
        (0.99, 0.0, 0),
        (0.5, 0.0, 1),
        (0.1, 0.0, 1),
        (0.01, 0.95, 1),
        (float("nan"), 0.0, 1),
        (0.01, float("nan"), 1),
    ],
)
def test_asks_the_large_guard_in_hard_cases_only(jailbreak, ood, asked):
    """A score within the band, a strange text, and what cannot be told go to the large guard."""
    large = Fixed(0.8)
    reading = GuardCascade(Fixed(jailbreak, ood), large).score("text")
    assert asked == len(large.asked)
    assert bool(asked) == reading.deferred


def test_the_large_guard_has_the_last_word():
    """Where it is asked, its reading is the answer."""
    assert 0.02 == GuardCascade(Fixed(0.6), Fixed(0.02)).score("text").jailbreak


def test_only_the_large_guard_is_given_the_embedding():
    """The small guard is the cheap one."""
    small, large = Fixed(0.5), Fixed(0.5)
    GuardCascade(small, large).score("text", "embedding")
    assert ([None], ["embedding"]) == (small.asked, large.asked)


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.5), (0.6, 0.5), (0.5, 1.1), (float("nan"), 0.5)])
def test_refuses_a_band_that_is_none(low, high):
    """The message names both ends."""
    with pytest.raises(ValueError, match="low <= high"):
        GuardCascade(Fixed(0), Fixed(0), low, high)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.5), st.floats(0.5, 1))
def test_a_wider_band_never_asks_less(jailbreak, ood, low, high):
    """Hard under a narrow band is hard under one around it."""
    reading = Fixed(jailbreak, ood).score("")
    narrow = GuardCascade(Fixed(0), Fixed(0), low, high)
    wide = GuardCascade(Fixed(0), Fixed(0), low / 2, (1 + high) / 2)
    assert not narrow.hard(reading) or wide.hard(reading)
