from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.alike import alike
from providers.strict_json import InvalidJson, parse


def event(delta: object, *, space: bool = False, **more: object) -> bytes:
    body = {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": None}], **more}
    separators = None if space else (",", ":")
    return b"data: " + json.dumps(body, separators=separators, ensure_ascii=False).encode() + b"\n\n"


def like(text: bytes, known: bytes = event({"content": "Hello"})) -> bytes:
    return known.replace(b"Hello", text)


#: What stands between the quotation marks of an event, as an endpoint in its right mind or in none would write it.
BETWEEN = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=4).map(str.encode),
        st.binary(max_size=3),
        st.sampled_from(
            [b"\\", b"\\n", b"\\u00e9", b"\\ud83d", b"\\u12", b"\\x", b'"', b'\\"', b"\n", b"}", b'","x":"']
        ),
    ),
    max_size=5,
).map(b"".join)


@given(BETWEEN)
def test_what_is_alike_is_the_same_chunk_but_for_its_text(between):
    """A parser would have taken it, and found nothing else in it; what a parser refuses is never alike."""
    known = event({"content": "Hello"})
    text = alike(known).text(like(between))

    try:
        chunk = parse(like(between)[6:-2])
    except InvalidJson:
        chunk = None
    if text is not None:
        assert between == text
        assert chunk is not None
        expected = parse(known[6:-2])
        expected["choices"][0]["delta"]["content"] = chunk["choices"][0]["delta"]["content"]
        assert expected == chunk


@given(st.text(max_size=20), st.booleans(), st.booleans(), st.booleans())
def test_every_text_is_alike(text, ascii_only, space, escaped):
    """However it is escaped, and whether that of the known event was."""
    known = event({"content": 'An "escaped"\ntext' if escaped else "Hello"}, space=space)
    written = json.dumps(text, ensure_ascii=ascii_only).encode(errors="replace")[1:-1]

    assert written == alike(known).text(like(written, event({"content": "Hello"}, space=space)))


NAMES = st.sampled_from(["content", "reasoning", "x", 'content": "'])
TEXTS = st.text(st.sampled_from('a"\\:, {}é'), max_size=6) | st.sampled_from(["content", '"content": "x"'])
MEMBERS = st.dictionaries(
    NAMES, st.recursive(TEXTS | st.none(), lambda inner: st.dictionaries(NAMES, inner, max_size=2))
)


def leaves(value, path=()):
    """Return what stands where in a value."""
    if not isinstance(value, dict | list):
        return {path: value}
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return {path: type(value), **{at: leaf for key, one in pairs for at, leaf in leaves(one, (*path, key)).items()}}


@given(MEMBERS, MEMBERS, st.booleans())
def test_what_is_taken_for_the_text_is_one_string(delta, more, space):
    """Whatever a chunk holds, and whatever its strings look like: another text changes nothing else."""
    first = event(delta, space=space, more=more)
    known = alike(first)
    if known is None:
        return
    before, after = leaves(parse(first[6:-2])), leaves(parse(known.with_text(b"@")[6:-2]))

    ((path, leaf),) = [(path, leaf) for path, leaf in after.items() if before[path] != leaf]
    assert "@" == leaf
    assert path[-1] in ("content", "reasoning")
    assert before.keys() == after.keys()


@pytest.mark.parametrize(
    "other",
    [
        event({"content": "Hello"}, id="d"),
        event({"content": "x"}, usage={"prompt_tokens": 1}),
        event({"content": "x", "refusal": "y"}),
        event({"content": None}),
        event({"content": "x"}, space=True),
        event({"content": "x"}) + b"\n",
        event({"content": "x"})[:-1],
        like(b'x"}}],"error":{"message":"'),
        like(b"\xff"),
        like(b"\xed\xa0\x80"),
        like(b"a\tb"),
        b": comment\n\n",
        b"",
    ],
)
def test_what_differs_in_more_is_not_alike(other):
    """It has to be read."""
    assert alike(event({"content": "Hello"})).text(other) is None


@pytest.mark.parametrize(
    "known",
    [
        event({}),
        event({"content": ""}),
        event({"content": None}),
        event({"content": "Hello"}, x='a "quoted" text'),
        event({"content": "Hello", "x": '"'}),
        event({"content": "Hello", "x": {"content": "Hello"}}),
        b"event: x\n" + event({"content": "Hello"}),
        event({"content": "Hello"}).replace(b"\n", b"\r\n"),
    ],
)
def test_nothing_is_learned_where_it_is_not_certain_what_is_text(known):
    """Whatever comes is parsed then."""
    assert alike(known) is None


@pytest.mark.parametrize("name", ["content", "reasoning_content", "reasoning"])
def test_reasoning_is_text_as_well(name):
    """Also where the other member is there, and empty."""
    known = alike(event({"role": "assistant", "content": "", name: "Hm"}))

    assert b"So" == known.text(event({"role": "assistant", "content": "", name: "So"}))


def test_padding_may_be_any():
    """OpenAI pads its events so that their lengths do not tell their texts."""
    known = alike(event({"content": "Hello"}, obfuscation="aQ3"))

    assert b"x" == known.text(event({"content": "x"}, obfuscation=""))
    assert b"x" == known.text(event({"content": "x"}, obfuscation="zT4hW0"))
    assert known.text(event({"content": "x"}, obfuscation=None)) is None
    assert known.text(event({"content": "x"}, obfuscation="a", usage={})) is None


def test_a_known_event_says_any_text():
    """It is the event that was learned, with another text."""
    known = alike(event({"content": "Hello"}, obfuscation="aQ3"))

    assert "x" == json.loads(known.with_text(b"x")[6:])["choices"][0]["delta"]["content"]
    assert len(b"data: \n\n") == known.framing
