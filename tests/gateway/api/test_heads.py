from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.heads import lines_of, raw_headers

VALUES = st.text(st.characters(max_codepoint=255), max_size=8)


@given(st.dictionaries(VALUES, VALUES, max_size=4))
def test_headers_are_written_a_line_each_or_not_at_all(headers):
    """Whatever a name or a value holds, it begins no line of its own."""
    lines = lines_of(headers)

    expected = b"".join(b"%b: %b\r\n" % pair for pair in raw_headers(headers))
    assert lines in (expected, None)
    if lines is not None:
        assert len(headers) == lines.count(b"\r") == lines.count(b"\n")


@pytest.mark.parametrize(
    "header",
    [
        ("x-a", "b\r\nx-forged: 1"),
        ("x-a", "b\n"),
        ("x-a", "b\0"),
        ("x-a\r\nx-forged", "1"),
        ("x a", "1"),
        ("x:a", "1"),
        ("", "1"),
        ("X-A", "1"),
    ],
)
def test_what_would_break_out_of_its_line_is_not_written(header):
    """The server that is asked to send it says what is wrong."""
    assert lines_of(dict([("x-first", "1"), header])) is None


def test_headers_are_written_as_they_are_sent():
    """Also those whose values are none of ASCII."""
    assert b"x-a: 1, 2\r\nretry-after: caf\xe9\t!\r\n" == lines_of({"x-a": "1, 2", "retry-after": "caf\xe9\t!"})
