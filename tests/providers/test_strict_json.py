from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.strict_json import FEW, MAX_DEPTH, InvalidJson, parse, refuse_constant

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


ODD_NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
ODD_TEXTS = st.from_regex(r'"([ -!#-\[\]-~é€😀]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"', fullmatch=True)


@given(
    st.recursive(
        ODD_NUMBERS
        | ODD_TEXTS
        | st.sampled_from(["true", "null", "01", "1.", "NaN", "tru", '"'])
        | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda parts: f"[{' ,'.join(parts)}]")
            | st.lists(st.tuples(ODD_TEXTS, inner), max_size=3).map(
                lambda pairs: "{" + ",".join(f"{key}:\t{value}" for key, value in pairs) + "}"
            )
        ),
        max_leaves=6,
    )
)
def test_reads_as_pythons_own_reader_does(text):
    """The quick way takes nothing that the strict one refuses, and makes the same of what both take, to the bit."""
    try:
        expected = repr(json.JSONDecoder(parse_constant=refuse_constant).decode(text))
    except ValueError:
        with pytest.raises(InvalidJson):
            parse(text.encode())
    else:
        assert expected == repr(parse(text.encode()))


def test_a_half_of_a_surrogate_pair_is_read():
    """It is no character, and JSON all the same: models write it where a stream of tokens cuts one in two."""
    assert ["\ud83d"] == parse(b'["\\ud83d"]')


def test_depth_counts_in_long_texts_too():
    """Where brackets are not counted, what was read is looked at."""
    padding = "x" * FEW
    deep = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)

    assert padding == parse(f'["{padding}",{deep}]'.encode())[0]
    with pytest.raises(InvalidJson, match="nested too deeply"):
        parse(f'["{padding}",[{deep}]]'.encode())
