from __future__ import annotations

import json
import time
import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.chat import InvalidBody, parse_chat, with_members

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=6)


def dumped(body: dict[str, Any], indent: int | None, *, ascii_only: bool) -> str:
    return json.dumps(body, indent=indent, ensure_ascii=ascii_only)


@given(OBJECTS, st.sampled_from([None, 0, 3]), st.booleans())
def test_reads_what_the_json_library_reads(body, indent, ascii_only):
    """The view equals the library's own parse, however the text is laid out."""
    text = dumped(body, indent, ascii_only=ascii_only).encode(errors="surrogatepass")
    try:
        text.decode()
    except UnicodeDecodeError:
        return

    assert json.loads(text) == parse_chat(text).body


@given(OBJECTS, OBJECTS, st.sampled_from([None, 2]))
def test_replaces_members_and_nothing_else(body, changes, indent):
    """Splicing gives the object with those members changed, whether it had them or not."""
    chat = parse_chat(dumped(body, indent, ascii_only=True).encode())

    assert {**changes, **body, **changes} == json.loads(with_members(chat, changes))


def test_leaves_the_clients_own_spelling():
    """Numbers, escapes, order and white space reach the endpoint as they were written."""
    raw = b'{"x": 1e-7, "y":1.10, "model" : "auto" , "t": "\\u0041\\/", "messages": [ ]}'

    assert raw.replace(b'"auto"', b'"gpt"') == with_members(parse_chat(raw), {"model": "gpt"})


def test_replaces_the_top_level_name_only():
    """A nested member of the same name, or the name as a text, stays."""
    raw = b'{"metadata": {"model": "auto"}, "user": "model", "mod\\u0065l": "auto"}'

    changed = json.loads(with_members(parse_chat(raw), {"model": "gpt"}))

    assert {"metadata": {"model": "auto"}, "user": "model", "model": "gpt"} == changed


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b'{"model": "a", "model": "b"}', "model"),
        (b'{"model": "a", "mod\\u0065l": "b"}', "model"),
        (b'{"messages": [{"role": "user", "content": "a", "content": "b"}]}', "content"),
    ],
)
def test_refuses_a_name_that_stands_twice(raw, name):
    """Another reader would take the other value: what is checked has to be what is sent."""
    with pytest.raises(InvalidBody, match=f"'{name}' stands twice"):
        parse_chat(raw)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"{", "expected '\"' at character 1"),
        (b'{"a": 1', "expected ',' at character 7"),
        (b'{"a": 1,}', "expected '\"' at character 8"),
        (b'{"a": }', "Expecting value at character 6"),
        (b'{"a": NaN}', "not JSON: it holds NaN"),
        (b'{"a": -Infinity}', "not JSON: it holds -Infinity"),
        (b'{"a": 1} {', "more follows the object at character 8"),
        (b"\xff\xfe{}", "not UTF-8 (byte 0)"),
        (b'{"a": ' + b"[" * 200_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "Exceeds the limit"),
    ],
)
def test_refuses_what_is_no_json_object(raw, said):
    """The message says what is wrong, and where."""
    with pytest.raises(InvalidBody) as caught:
        parse_chat(raw)

    assert said in str(caught.value)


@given(st.text(), st.binary(min_size=1, max_size=4), st.text())
def test_strings_are_in_utf8_or_refused(before, between, after):
    """Also where no text is made of the whole: the endpoint gets these very bytes."""
    quoted = [json.dumps(text, ensure_ascii=False).encode(errors="surrogatepass")[1:-1] for text in (before, after)]
    raw = b'{"a": ["%b%b%b"]}' % (quoted[0], between, quoted[1])
    try:
        chat = parse_chat(raw)
    except InvalidBody:
        return

    assert raw.decode() == chat.text


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    """Whatever comes, it is an object or an `InvalidBody`."""
    try:
        chat = parse_chat(raw)
    except InvalidBody:
        return

    assert json.loads(raw) == chat.body


@pytest.mark.parametrize(
    "raw", [b'{"messages": [], "t": "\\ud83d", "model": "auto"}', b'{"model": "auto", "t": "\\udc00x"}']
)
def test_half_of_a_surrogate_pair_is_taken_and_stays(raw):
    """It is JSON, though no character: the endpoint gets it as it was written."""
    chat = parse_chat(raw)

    assert json.loads(raw) == chat.body
    assert raw.replace(b"auto", b"gpt") == with_members(chat, {"model": "gpt"})


def test_a_long_body_takes_less_time_than_a_json_parse():
    """Its megabyte is read once, quickly, and the messages are not read again to find the model behind them."""
    text = "What is it that you want? \n" * 40_000
    raw = json.dumps({"messages": [{"role": "user", "content": text}], "model": "auto"}).encode()
    chat = parse_chat(raw)

    read_s, write_s, parse_s = (
        min(timeit.repeat(one, number=1, repeat=15, timer=time.thread_time))
        for one in (lambda: parse_chat(raw), lambda: with_members(chat, {"model": "gpt"}), lambda: json.loads(raw))
    )

    assert read_s < 0.8 * parse_s
    assert write_s < 0.3 * parse_s
