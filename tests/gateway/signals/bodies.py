"""Requests for tests of signals: ordinary ones, odd ones, and all that JSON can say."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from gateway.signals.base import Caller, Request
from gateway.signals.request import last_user_text

NOON = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)


def _members(*names, inner=JSON):
    return st.dictionaries(st.sampled_from(names), inner, max_size=5)


KINDS = st.sampled_from(["text", "image_url", "tool_result", "document", "thinking", "function"])
FUNCTIONS = _members("name", "arguments") | JSON
CALLS = st.lists(_members("id", "type", "function", inner=FUNCTIONS) | JSON, max_size=3) | JSON
PARTS = st.lists(_members("type", "text", "content", "source", inner=KINDS | JSON) | JSON, max_size=3)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["system", "developer", "user", "assistant", "tool"]) | JSON,
        "content": st.text() | PARTS | JSON,
        "tool_calls": CALLS,
        "function_call": FUNCTIONS,
        "tool_call_id": JSON,
        "is_error": JSON,
        "reasoning_content": JSON,
        "refusal": JSON,
    },
)
#: Bodies that parse as JSON objects, and little else.
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(MESSAGES | JSON, max_size=5) | JSON,
        "tools": CALLS,
        "functions": CALLS,
        "response_format": _members("type", "json_schema") | JSON,
        "metadata": _members("session_id", "tags", "a") | JSON,
        **dict.fromkeys(
            (
                *("stream", "n", "logprobs", "user", "prompt_cache_key", "max_tokens", "max_completion_tokens"),
                *("modalities", "reasoning", "reasoning_effort", "prediction", "web_search_options", "documents"),
            ),
            JSON,
        ),
    },
)

#: Bodies that a valid request never is, and that reach a signal all the same.
ODD_BODIES = (
    {},
    *({"messages": value} for value in (None, 5, True, "text", {}, [], [None, 5, "text", []], [{}], [{"role": None}])),
    *(
        {"messages": [{"role": "user", "content": value}]}
        for value in (None, 5, {}, [None, 5, "text", {}], [{"text": 5}])
    ),
    *(
        {"messages": [{"role": "assistant", "tool_calls": value}]}
        for value in (None, 5, {}, "text", [None], [{"function": "f"}])
    ),
    *(
        {name: value}
        for name in ("tools", "metadata", "response_format", "documents")
        for value in (None, 5, "text", [5])
    ),
    {"max_tokens": 10**400, "n": float("nan"), "metadata": {"a": 10**400, "b": float("inf"), "": None}},
)

#: Texts that have been too much for somebody.
ODD_TEXTS = (
    *(
        "",
        " ",
        "\n\n",
        "?",
        "a",
        "Hello!",
        "\x00\x01",
        "0 1 2",
        "😀👨‍👩‍👧🇩🇪",
        "\ud800 lone \udfff",
        "e\u0301",
        "\u202eabc",
    ),
    *(
        "你好请帮我翻译",
        "Пожалуйста, переведите",
        "من فضلك",
        "कृपया अनुवाद करें",
        "กรุณาแปล",
        "お願いします",
        "부탁합니다",
        "Ω≈ç√",
    ),
    *('{"a": [', "[1]", "<doc><doc>", "```\nx = 1\n```", "Error: x", "%s {} {0}", "a" * 500, "\u200d" * 50),
)
#: What long texts are made of: prose, and repetitions that make a careless expression slow.
PIECES = (
    "The quick brown fox, 12 times; ",
    "a",
    " ",
    "\n",
    "<doc>",
    "[1] ",
    "-----\n",
    "((",
    "1",
    "क ",
    "你",
    "a.b@c.",
    "\n \n",
    "Error ",
)


def request(body, headers=None, caller=None, at=NOON):
    """Return a request with a body."""
    return Request(body=body, text=last_user_text(body), at=at, headers=headers or {}, caller=caller or Caller())


def conversation(text):
    """Return a request of some turns, with tools, that ends with a text."""
    messages = [
        {"role": "system", "content": "You are of help."},
        {"role": "user", "content": "What is the weather like?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "function": {"name": "look", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": '{"sky": "blue"}'},
        {
            "role": "user",
            "content": [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": "data:,"}}],
        },
    ]
    body = {"model": "auto", "messages": messages, "tools": [{"type": "function", "function": {"name": "look"}}]}
    headers = {"x-session-id": "s", "x-pointsman-tags": "a, b"}
    return request(body, headers, Caller("someone", "user", "team", ("tag",)))


def plain(text):
    """Return a request that is nothing but a text."""
    return request({"messages": [{"role": "user", "content": text}]})
