"""Chance that cannot be foreseen, and that nobody draws twice."""

from __future__ import annotations

import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.entropy import Entropy


@given(st.integers(0, 300))
def test_as_many_bits_as_are_asked_for(bits):
    """Never more; and each of them may be set."""
    drawn = [Entropy().getrandbits(bits) for _ in range(64)]

    assert all(0 <= one < 2**bits for one in drawn)
    assert bits <= max(one.bit_length() for one in drawn) + 6


def test_fewer_than_no_bits_cannot_be_drawn():
    """It is a mistake of whoever asks."""
    with pytest.raises(ValueError, match="-1 bits"):
        Entropy().getrandbits(-1)


def test_numbers_are_spread_evenly_over_the_unit_interval():
    """Also beyond what is fetched together: a tenth of them in each tenth."""
    drawn = [Entropy().random() for _ in range(20_000)]

    tenths = Counter(int(number * 10) for number in drawn)
    assert set(range(10)) == tenths.keys()
    assert all(1700 < count < 2300 for count in tenths.values())


def test_it_draws_as_any_source_of_chance_does():
    """`sample`, `choices` and `shuffle` are built on the two."""
    rng, cards = Entropy(), list(range(52))

    assert cards == sorted(rng.sample(cards, 52))
    assert {"a"} == set(rng.choices(["a", "b"], [1, 0], k=100))
    assert 5 > rng.randrange(5) >= 0


def test_it_has_no_state():
    """A seed is ignored, and its state can be neither read nor set."""
    one, other = Entropy(1), Entropy(1)

    assert one.getrandbits(64) != other.getrandbits(64)
    with pytest.raises(NotImplementedError, match="no state"):
        one.getstate()
    with pytest.raises(NotImplementedError, match="no state"):
        one.setstate(())


def test_threads_never_draw_the_same():
    """Whatever they do at once."""
    rng = Entropy()
    with ThreadPoolExecutor(8) as threads:
        drawn = [
            one for many in threads.map(lambda _: [rng.getrandbits(64) for _ in range(5000)], range(8)) for one in many
        ]

    assert 40_000 == len(set(drawn))


def test_a_forked_process_does_not_draw_what_its_parent_draws():
    """It forgets what was fetched before."""
    rng = Entropy()
    rng.getrandbits(64)  # so that more is at hand
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, json.dumps([rng.getrandbits(64) for _ in range(100)]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        theirs = json.load(pipe)

    assert not set(theirs) & {rng.getrandbits(64) for _ in range(600)}
