from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.lexical import BUCKETS, LENGTHS, MAX_BYTES, Lexicon, buckets

QUESTIONS = [f"What is {a} times {b}?" for a in range(12) for b in range(12)]
ORDERS = [f"Translate into French: {noun} number {i}" for noun in ("tree", "house", "river") for i in range(40)]


def pieces(text):
    """Return what a text is counted by, spelled out: words, pairs of words, n-grams of bytes."""
    plain = " ".join(text.lower().split()).encode()
    padded, words = b" " + plain + b" ", plain.split(b" ")
    grams = [(n, padded[i : i + n]) for n in LENGTHS for i in range(len(padded) - n + 1)]
    pairs = [(1, one + b" " + other) for one, other in pairwise(words)]
    return Counter(grams + pairs + [(0, word) for word in words])


@given(st.text(alphabet="ab é?\n", max_size=40))
def test_counts_what_the_text_holds(text):
    """As many features as the pieces have different hashes, counted as often."""
    found, weights = buckets(text)
    counted = pieces(text)

    assert len(found) == len(set(found)) <= len(counted)
    assert round(float(np.exp(weights - 1).sum())) == sum(counted.values())


@given(st.text(max_size=200))
def test_any_string_will_do(text):
    """Buckets are in range, whatever is in the text."""
    found, weights = buckets(text)

    assert ((found >= 0) & (found < BUCKETS)).all()
    assert (weights >= 1).all()


def test_case_and_white_space_make_no_difference():
    """Wording does."""
    assert np.array_equal(buckets("What  is\nthis")[0], buckets("what is this")[0])
    assert not np.array_equal(buckets("what is this")[0], buckets("what is that")[0])


def test_the_middle_of_a_long_text_is_not_read():
    """Both of its ends are."""
    start, end = "a" * MAX_BYTES, "b" * MAX_BYTES

    assert np.array_equal(buckets(f"{start}{'x' * 99}{end}")[0], buckets(f"{start}{'y' * 99}{end}")[0])
    assert not np.array_equal(buckets(f"{start}{end}")[0], buckets(f"{start}{end[:-1]}c")[0])


def test_sources_are_told_apart():
    """Texts put alike lie on one side, and texts put otherwise on the other."""
    lexicon = Lexicon.of(QUESTIONS + ORDERS, 4)
    one, other = (np.stack([lexicon.transform(text) for text in texts]) for texts in (QUESTIONS, ORDERS))
    new = lexicon.transform("What is 13 times 14?")

    assert 4 == lexicon.dimensions
    assert float(np.linalg.norm(new - one.mean(axis=0))) < 0.5 * float(np.linalg.norm(new - other.mean(axis=0)))


@pytest.mark.parametrize("texts", [[], ["alone"], ["same"] * 9, ["one", "two"]])
def test_too_few_texts_have_no_dimensions(texts):
    """There is nothing that varies."""
    lexicon = Lexicon.of(texts, 5)

    assert 0 == lexicon.dimensions
    assert (0,) == lexicon.transform("any").shape
