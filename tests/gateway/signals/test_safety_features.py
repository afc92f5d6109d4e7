from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.safety.features import BITS, STEP, WHOLE, WINDOW, buckets, windows, words


@given(st.integers(0, 20_000))
def test_windows_cover_all_of_a_text(length):
    """Every character is in a window, no window is longer than allowed, and neighbours overlap."""
    places = windows(length)
    assert places[0][0] == 0
    assert places[-1][1] == length
    assert all(end - start <= (WHOLE if len(places) == 1 else WINDOW) for start, end in places)
    assert all(later[0] - earlier[0] <= STEP for earlier, later in pairwise(places))


@given(st.text(st.characters(), max_size=200))
def test_buckets_are_sorted_distinct_and_within_bounds(text):
    """Whatever the text, its features are a set of buckets."""
    found = buckets(text)
    assert np.array_equal(found, np.unique(found))
    assert not len(found) or found[-1] < 1 << BITS


def test_the_same_words_have_the_same_buckets_wherever_they_stand():
    """A text's features are among those of a longer text that contains it, but for its edges."""
    inner = "explain how bread is baked"
    assert len(np.setdiff1d(buckets(inner), buckets(f"hello, {inner} and thanks"))) <= 6


def test_how_often_a_word_occurs_does_not_count():
    """A feature is there or not."""
    assert set(words("tea tea tea")) == set(words("tea"))


def test_numbers_are_alike():
    """Digits are one sign."""
    assert np.array_equal(buckets("room 12"), buckets("room 47"))


@pytest.mark.parametrize("text", ["", "\n", "😀", "\ud800"])
def test_texts_without_words_have_no_words(text):
    """Nothing to read is not an error."""
    assert 0 == len(words(text))


def test_scripts_without_spaces_are_read_sign_by_sign():
    """Each Chinese character is a word."""
    assert 3 == len(words("写代码"))
