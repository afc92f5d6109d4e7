"""What is counted in a text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.difficulty.features import HEAD, NAMES, TAIL, cut, features

RANKS = {word: float(rank) for rank, word in enumerate(("the", "of", "and", "is", "what", "a", "in", "to", "for", "x"))}


def read(text: str) -> dict[str, float]:
    return dict(zip(NAMES, features(text, RANKS).tolist(), strict=True))


def test_short_text_is_left_whole():
    """What is not longer than head and tail is read as it is."""
    text = "a" * (HEAD + TAIL)

    assert (text, False) == cut(text)


def test_long_text_is_cut_to_head_and_tail():
    """Of a megabyte, the beginning and the end are kept, and the cut is said."""
    text, truncated = cut("a" * 500_000 + "b" * 500_000)

    assert ("a" * HEAD + "\n" + "b" * TAIL, True) == (text, truncated)


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        ("questions", "Why? How?"),
        ("numbers", "Add 12 and 30."),
        ("digits", "Is 1234567 prime?"),
        ("operators", "x + y = z"),
        ("latex", r"Evaluate $\int_0^1 x$"),
        ("symbols", "f(x) = {a_1}"),
        ("code_share", "Fix:\n```python\nx = 1\n```"),
        ("code_lines", "def f(x):\n    return x"),
        ("indent", "if a:\n        b = 1"),
        ("unknown", "the zyzzyva of the"),
        ("not_english", "el perro come mucho pan"),
        ("commas", "a, b, c"),
        ("items", "- one\n- two"),
        ("options", "Which?\nA. one\nB. two"),
        ("nesting", "f(g(x))"),
        ("non_latin", "你好"),
        ("condition", "if it rains unless it snows"),
        ("quantifier", "for every x there exists a y"),
        ("step", "first this then that"),
    ],
)
def test_feature_rises_with_what_it_counts(feature: str, text: str):
    """A text that has something scores higher on its feature than one that has nothing."""
    assert read(text)[feature] > read("the of")[feature]


def test_rarity_is_not_judged_in_another_language():
    """Unknown words of a language that is not English do not make a text rare."""
    assert 0.0 == read("el perro come mucho pan")["unknown"]


@given(st.text(max_size=300))
def test_features_are_finite_for_any_text(text: str):
    """Whatever is written, there are as many features as names, and all are numbers."""
    values = features(text, RANKS)

    assert (len(NAMES),) == values.shape
    assert np.isfinite(values).all()
