from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from providers.chat import edited, parse_chat

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["a", "b", "ä", '"', "\\", ""])
OBJECTS = st.dictionaries(NAMES, JSON, max_size=5)


@given(OBJECTS, OBJECTS, st.sets(NAMES), st.sampled_from([None, 2]), st.booleans())
def test_sets_and_removes_and_nothing_else(body, changes, removed, indent, ascii_only):
    """What is both set and removed is set; the view is that of the new text."""
    text = json.dumps(body, indent=indent, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    try:
        text.decode()
    except UnicodeDecodeError:
        return
    chat = edited(parse_chat(text), changes, removed)
    kept = {key: value for key, value in body.items() if key not in removed}

    assert {**kept, **changes} == json.loads(chat.text) == chat.body


def test_every_other_value_keeps_its_spelling():
    """Numbers, escapes, and white space within."""
    raw = b'{ "a": 1e-7, "b" :1.10,\n"c": "\\u0041\\/", "d": [ 1 ,2 ], "x": 1, "e": 1E400, "f":12345678901234567890 }'
    chat = edited(parse_chat(raw), {"y": 2}, {"x"})

    for kept in ("1e-7", "1.10", '"\\u0041\\/"', "[ 1 ,2 ]", "1E400", "12345678901234567890"):
        assert kept in chat.text
    assert '"x"' not in chat.text


def test_an_edit_of_an_edit_keeps_its_places():
    """The members of what comes out can be edited again."""
    chat = edited(edited(parse_chat(b'{"a": 1.0, "b": 2}'), {"c": 3}), {}, {"b"})

    assert {"a": 1.0, "c": 3} == chat.body
    assert "1.0" in chat.text
    assert {} == edited(chat, {}, {"a", "c"}).body
