"""The examples of the built-in classes."""

from __future__ import annotations

from collections import Counter

import pytest

from gateway.signals.domains import DESCRIPTIONS, built_in


def test_every_class_is_described_and_has_forty_examples():
    """No class is left without a line on what it is, or with few examples."""
    descriptions, examples = built_in()

    assert DESCRIPTIONS == descriptions
    assert set(descriptions) == set(examples)
    assert min(map(len, examples.values())) >= 40


def test_no_example_belongs_to_two_classes():
    """Classes do not share an example, whatever its case, and none is given twice."""
    counts = Counter(text.strip().casefold() for texts in built_in()[1].values() for text in texts)

    assert [] == [text for text, count in counts.items() if count > 1]


@pytest.mark.parametrize("domain", sorted(DESCRIPTIONS))
def test_examples_vary_in_length_and_language(domain: str):
    """Each class has short and long examples, and some that are not in English."""
    texts = built_in()[1][domain]
    foreign = [text for text in texts if any(character > "\x7f" and character.isalpha() for character in text)]

    assert min(map(len, texts)) < 60
    assert max(map(len, texts)) > 75
    assert foreign


def test_answer_may_be_changed_without_changing_the_next():
    """Who edits what was returned does not edit the descriptions of others."""
    built_in()[0].clear()

    assert built_in()[0]
