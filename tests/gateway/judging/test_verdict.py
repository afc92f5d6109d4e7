from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.judging.verdict import merged, read_better, read_score

NONCE = "c0ffee"
VERDICTS = st.sampled_from([0.0, 0.5, 1.0])


def test_a_verdict_is_read():
    """Grades become rewards, and so does which of two is better."""
    assert 0.8 == read_score('{"id": "c0ffee", "score": 8}', NONCE)
    assert [1.0, 0.0, 0.5] == [
        read_better(f'{{"id": "c0ffee", "better": "{one}"}}', NONCE) for one in ("A", "B", "tie")
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "c0ffe", "score": 8}',
        '{"score": 8}',
        '{"id": "c0ffee", "score": 10.5}',
        '{"id": "c0ffee", "score": -1}',
        '{"id": "c0ffee", "score": true}',
        '{"id": "c0ffee", "score": null}',
        '{"id": "c0ffee", "score": 8, "better": "A"}',
        '{"id": "c0ffee", "score": 8} {"id": "c0ffee", "score": 9}',
        '{"id": "c0ffee", "score": 1} {"id": "c0ffee", "score": 1.0}',
        '[{"id": "c0ffee", "score": ',
        "{" * 9000,
    ],
)
def test_all_else_is_none(text):
    """Another word, another form, two that differ."""
    assert read_score(text, NONCE) is None
    assert read_better(text, NONCE) is None


@given(st.text(alphabet='{}[]"id:score,c0ffe 19', max_size=80))
def test_any_text_has_an_answer(text):
    """A grade between 0 and 1, or none."""
    grade = read_score(text, NONCE)

    assert grade is None or 0 <= grade <= 1


@given(st.integers(0, 10), st.text(max_size=50))
def test_words_before_a_verdict_do_not_hide_it(grade, thoughts):
    """Unless they hold too many braces to be anything but junk."""
    said = f"{thoughts}\n" + json.dumps({"id": NONCE, "score": grade})

    assert grade / 10 == read_score(said, NONCE)


@given(VERDICTS, VERDICTS)
def test_both_orders_are_merged(first, swapped):
    """Agreement counts, and a change of mind is a tie; it does not matter which answer is called first."""
    value = merged(first, swapped)

    assert value == (first if first == 1 - swapped else 0.5)
    assert merged(swapped, first) == 1 - value


def test_one_order_alone_is_no_verdict():
    """Neither is."""
    assert [None] * 3 == [merged(None, 1.0), merged(1.0, None), merged(None, None)]
