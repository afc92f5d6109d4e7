from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import sse
from providers.sse import EventSplitter, EventTooLarge, event_data

LINES = st.lists(
    st.sampled_from([b"data: {}", b"data:[DONE]", b": ping", b"event: x", b"id: 1"]), min_size=1, max_size=3
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@given(
    st.lists(LINES, max_size=6), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 300), max_size=20)
)
def test_cuts_anywhere_give_the_same_events(events, newline, places):
    """However the network cuts a stream, its events come out whole, and no byte is lost."""
    wire = b"".join(newline.join(lines) + newline * 2 for lines in events)
    splitter = EventSplitter()

    found = [event for piece in cut(wire, places) for event in splitter.feed(piece)]

    # The LF of a CRLF that ends a stream may still come; a lone CR at the very end is kept back for it.
    assert wire == b"".join(found) + splitter.rest
    whole = [event.strip(b"\r\n") for event in [*found, splitter.rest] if event.strip(b"\r\n")]
    assert [newline.join(lines) for lines in events] == whole


@given(st.lists(st.sampled_from([b"data: 1\n\n", b"data: 2\n\n", b"\n", b"\r", b"\xef\xbb\xbf"]), max_size=8))
def test_whole_events_are_found_as_pieces_are(pieces):
    """What comes event by event, and needs no joining, is cut as if it had come byte by byte."""
    by_piece, by_byte = EventSplitter(), EventSplitter()

    found = [event for piece in pieces for event in by_piece.feed(piece)]

    assert [event for piece in pieces for byte in piece for event in by_byte.feed(bytes([byte]))] == found
    assert by_byte.rest == by_piece.rest


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: {}\n\n", b"{}"),
        (b"data:{}\r\n\r\n", b"{}"),
        (b"event: x\ndata: a\ndata: b\n\n", b"a\nb"),
        (b": a comment\n\n", None),
        (b"id: 1\n\n", None),
    ],
)
def test_reads_the_data_of_an_event(event, data):
    """Data lines are joined by LF; an event without any has no data."""
    assert data == event_data(event)


def test_refuses_an_event_without_end(monkeypatch):
    """An endpoint cannot fill the memory with one event."""
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    splitter = EventSplitter()

    splitter.feed(b"x" * 1000)

    with pytest.raises(EventTooLarge):
        splitter.feed(b"x")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (b"data: {}\n\n", None),
        (b": comment\nevent: x\nid\nretry: 5\ndata\n\n", None),
        (b":\r\n\r\n", None),
        (b"data: {}\ngarbage\n\n", b"garbage"),
        (b"dat: {}\n\n", b"dat: {}"),
        (b"error: {}\n\n", b"error: {}"),
        (b" data: {}\n\n", b" data: {}"),
        (b"database: {}\n\n", b"database: {}"),
    ],
)
def test_lines_that_no_event_has_are_found(event, line):
    """A damaged event must not pass for a comment."""
    assert line == sse.foreign_line(event)


def test_a_byte_order_mark_begins_a_stream_only():
    """As the standard has it: elsewhere it is a part of what it stands in."""
    splitter = EventSplitter()

    assert [b"data: 1\n\n", b"\xef\xbb\xbfdata: 2\n\n"] == splitter.feed(
        b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n"
    )
