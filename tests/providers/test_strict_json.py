from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.strict_json import MAX_DEPTH, InvalidJson, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(VALUES)
def test_reads_what_is_json(value):
    """Whatever RFC 8259 allows comes back as it was."""
    assert value == parse(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not JSON"),
        (b"{} {}", "not JSON"),
        (b'{"a": NaN}', "NaN"),
        (b"-Infinity", "-Infinity"),
        (b'"\xff"', "not UTF-8"),
        (b"9" * 5000, "not JSON"),
        ('"\u00e9"'.encode("utf-16"), "not UTF-8"),
    ],
)
def test_refuses_what_is_none(raw, said):
    """Also what Python's own reader would take."""
    with pytest.raises(InvalidJson, match=said):
        parse(raw)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_depth_is_counted_exactly(opening, closing):
    """The limit is allowed, one more is not, and a hundred thousand more cost no stack."""
    each = opening.count(b"[") + opening.count(b"{")

    def nested(times: int) -> bytes:
        return opening * times + b"1" + closing * times

    assert parse(nested(MAX_DEPTH // each)) is not None
    for times in (MAX_DEPTH // each + 1, 900, 100_000):
        with pytest.raises(InvalidJson, match="nested too deeply"):
            parse(nested(times))


def test_brackets_in_texts_are_no_depth():
    """A text may hold as many as it likes, and a list as many lists."""
    assert ["[" * 10_000] == parse(json.dumps(["[" * 10_000]).encode())
    assert [[]] * 10_000 == parse(json.dumps([[]] * 10_000).encode())
