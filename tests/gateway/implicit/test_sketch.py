from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from gateway.implicit.sketch import KEPT, Sketcher

SKETCHER = Sketcher(b"a key")
TEXTS = st.text(max_size=300)


def pieces(text):
    padded = text.ljust(5) if text else ""
    return {padded[at : at + 5] for at in range(len(padded) - 4)}


@given(TEXTS)
def test_a_text_is_like_itself(text):
    """All of it is shared."""
    found = SKETCHER.likeness(SKETCHER.sketch(text), text)

    assert (1.0, 1.0) == (found.shared, found.contained)


@given(st.text(max_size=90), st.text(max_size=90))
def test_the_likeness_of_short_texts_is_exact(one, other):
    """A sketch has all of their pieces."""
    ours, theirs = pieces(one), pieces(other)
    found = SKETCHER.likeness(SKETCHER.sketch(one), other)

    union = len(ours | theirs)
    assert (len(ours & theirs) / union if union else 1.0) == found.shared
    assert (len(ours & theirs) / len(theirs) if theirs else 1.0) == found.contained


def test_the_likeness_of_long_texts_is_near():
    """Whatever their script, it is within 0.15 of the true one."""
    rng = random.Random(0)
    for letters in ("abcdefghij ", "абвгдежзик ", "的一是不了人我在有他"):
        text = "".join(rng.choices(letters, k=4000))
        for share in (0.1, 0.5, 0.9):
            cut = int(len(text) * share)
            other = text[:cut] + "".join(rng.choices(letters, k=4000 - cut))
            true = len(pieces(text) & pieces(other)) / len(pieces(text) | pieces(other))

            assert abs(SKETCHER.likeness(SKETCHER.sketch(text), other).shared - true) < 0.15


def test_what_was_only_cut_is_contained():
    """The beginning of a text is in it, and the whole is not in the beginning."""
    rng = random.Random(1)
    text = "".join(rng.choices("abcdefghijklmnop ", k=6000))
    whole, half = SKETCHER.sketch(text), SKETCHER.sketch(text[:3000])

    assert 1.0 == SKETCHER.likeness(whole, text[:3000]).contained
    assert SKETCHER.likeness(half, text).contained < 0.7


@given(st.sampled_from(["abcdefghij ", "ab", "абвгдежзик ", "aé\ud800"]), st.integers(0, 4000), st.integers(0, 99))
def test_a_sketch_of_a_text_is_made_of_those_of_its_parts(letters, length, seed):
    """However long it is, it has the smallest hashes of all, in ascending order."""
    text = "".join(random.Random(seed).choices(letters, k=length))
    parts = [SKETCHER.sketch(text[at : at + 100]) for at in range(0, max(len(text) - 4, 1), 96)]
    hashes = {int.from_bytes(part[at : at + 4], "little") for part in parts for at in range(0, len(part), 4)}

    assert b"".join(one.to_bytes(4, "little") for one in sorted(hashes)[:KEPT]) == SKETCHER.sketch(text)


def test_a_foreign_character_leaves_the_rest_alike():
    """A text in ASCII is read by another way, to the same hashes."""
    text = "The quick brown fox jumps over the lazy dog"

    assert len(text) - 4 == round(SKETCHER.likeness(SKETCHER.sketch(text), text + "\u4e2d").shared * (len(text) - 3))


def test_a_sketch_is_small_and_of_its_key():
    """It has a bounded size, and another key draws another."""
    text = "a long text, " * 1000 + "with an end"

    assert len(SKETCHER.sketch(text)) <= 4 * KEPT
    assert SKETCHER.sketch(text) != Sketcher(b"another key").sketch(text)
    assert b"" == SKETCHER.sketch("")
