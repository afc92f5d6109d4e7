"""The fuzzer itself, for some seconds; `python benchmarks/fuzz.py` goes on for longer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.openai import OpenAIAdapter
from providers.chat import InvalidBody, parse_chat
from providers.errors import ProviderError
from providers.members import members_of

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
ASK = parse_chat(b'{"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": true}')
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
CHOICE = st.fixed_dictionaries({}, optional={"index": JSON, "delta": JSON, "message": JSON, "finish_reason": JSON})
#: Chunks that are nearly right.
CHUNK = st.fixed_dictionaries(
    {}, optional={"choices": JSON | st.lists(CHOICE, max_size=2), "usage": JSON, "error": JSON}
)
EVENT = CHUNK.map(lambda chunk: b"data: " + json.dumps(chunk).encode() + b"\n\n") | st.sampled_from(
    [b"data: [DONE]\n\n", b": ping\n\n", b"data:\n\n", b"\n", b"\r\n\r\n"]
)


@pytest.mark.parametrize("first", [0, 7_000_000])
def test_damaged_inputs_are_taken(tmp_path, first):
    """Bodies, streams and configurations: no defect, no nonsense, no hang."""
    command = [sys.executable, str(BENCHMARKS / "fuzz.py"), "--inputs", "400", "--out", str(tmp_path / "input")]
    ended = subprocess.run([*command, "--first", str(first)], capture_output=True, text=True, check=False, timeout=120)

    assert 0 == ended.returncode, ended.stderr
    assert 400 == json.loads(ended.stdout)["inputs"]


@settings(max_examples=150)
@given(st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_parsed_or_refused(raw):
    """There is no third way."""
    try:
        chat = parse_chat(raw)
    except InvalidBody:
        return
    assert chat.body == {member.key: member.value for member in members_of(chat.text)}


@settings(max_examples=200)
@given(st.lists(EVENT | st.binary(max_size=30), max_size=5), st.integers(0, 200))
def test_any_stream_is_relayed_or_broken_off(events, place):
    """What is relayed is what came, in order; what is wrong raises an error of an endpoint."""
    wire = b"".join(events)
    decoder = OpenAIAdapter().stream_decoder(ASK)
    relayed = b""
    try:
        for piece in (wire[:place], wire[place:]):
            relayed += b"".join(decoder.feed(piece))
    except ProviderError:
        assert not decoder.done
    assert all(event in wire for event in relayed.split(b"\n\n"))


@settings(max_examples=150)
@given(st.binary(max_size=60) | CHUNK.map(lambda body: json.dumps(body).encode()))
def test_any_answer_is_taken_or_refused(raw):
    """What is taken can be told as a stream as well."""
    adapter = OpenAIAdapter()
    try:
        decoded = adapter.decode(raw)
    except ProviderError:
        return
    *_, last = adapter.as_events(decoded, ASK)
    assert b"data: [DONE]\n\n" == last
