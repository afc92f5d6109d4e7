"""The head of a request as bytes."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.transport.head import RequestHead, head_of

NAMES = st.sampled_from(["authorization", "x-a", "X-A", "traceparent", "content-type", "Host"])
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=9)
HEADERS = st.dictionaries(NAMES, VALUES, max_size=4)
URL = httpx2.URL("https://up:8443/v1/chat/completions?a=b")


def fields(head: bytes) -> dict[bytes, bytes]:
    first, *lines, blank, end = head.split(b"\r\n")
    assert (b"POST /v1/chat/completions?a=b HTTP/1.1", b"", b"") == (first, blank, end)
    return {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines)}


@given(st.dictionaries(NAMES.map(str.lower), VALUES, max_size=4), HEADERS, st.integers(0, 10**9))
def test_it_says_what_a_request_of_httpx2_says(fixed, more, length):
    """The same fields, of which the fixed ones win, and how long the body is."""
    asked = httpx2.Request("POST", URL, headers={**{k.lower(): v for k, v in more.items()}, **fixed})
    expected = fields(head_of(asked)) | {b"content-length": b"%d" % length}
    expected |= {b"host": b"up:8443"} if "host" in map(str.lower, more) and "host" not in fixed else {}

    assert expected == fields(RequestHead("POST", URL, fixed).bytes_for(length, more))


def test_a_length_that_is_written_down_does_not_count():
    """How long a body is says the body."""
    head = RequestHead("POST", URL, {"content-length": "7", "transfer-encoding": "chunked"}).bytes_for(3, {})

    assert {b"host": b"up:8443", b"content-length": b"3"} == fields(head)


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\0b"])
def test_nothing_breaks_out_of_its_line(value):
    """Neither what is fixed, nor what a request brings along, nor the name of it."""
    with pytest.raises(httpx2.LocalProtocolError):
        RequestHead("POST", URL, {"x-note": value})
    head = RequestHead("POST", URL, {})
    with pytest.raises(httpx2.LocalProtocolError):
        head.bytes_for(0, {"traceparent": value})
    with pytest.raises(httpx2.LocalProtocolError):
        head.bytes_for(0, {value: "x"})
