import json

import pytest

from gateway.caching.fitness import LONGEST_REQUEST, is_cacheable, is_complete, question_at
from gateway.caching.types import CacheRules, Sight
from providers.chat import parse_chat
from tests.gateway.worlds import tool_loop

PLAIN = CacheRules()
TOOLS = [{"type": "function", "function": {"name": "f"}}]
WHOLE = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}]}
SIGHT = Sight("d", 256)
USER = [{"role": "user", "content": "Say hello to them."}]


def chat(**body):
    return parse_chat(json.dumps({"model": "m", "messages": USER, **body}).encode())


def answer(message=None, reason="stop", **choice):
    return {
        "choices": [{**WHOLE["choices"][0], "message": message or {"content": "Hi."}, "finish_reason": reason} | choice]
    }


@pytest.mark.parametrize(
    ("body", "rules", "expected"),
    [
        ({}, PLAIN, True),
        ({"n": 3, "temperature": 1.5, "seed": 4, "store": False, "tools": [], "modalities": ["text"]}, PLAIN, True),
        ({"store": True}, PLAIN, False),
        ({"audio": {"voice": "x"}}, PLAIN, False),
        ({"modalities": ["text", "audio"]}, PLAIN, False),
        ({"n": 0}, PLAIN, False),
        ({"n": "2"}, PLAIN, False),
        ({"tools": TOOLS}, PLAIN, False),
        ({"functions": [{"name": "f"}]}, PLAIN, False),
        ({"web_search_options": {"a": 1}}, PLAIN, False),
        ({"messages": tool_loop()}, PLAIN, False),
        ({"tools": TOOLS, "messages": tool_loop()}, CacheRules(tools=True), True),
        ({"temperature": 0}, CacheRules(zero=True), True),
        ({"temperature": 0.0}, CacheRules(zero=True), True),
        ({"temperature": False}, CacheRules(zero=True), False),
        ({"temperature": 0.1}, CacheRules(zero=True), False),
        ({}, CacheRules(zero=True), False),
        ({"user": "x" * LONGEST_REQUEST}, PLAIN, False),
    ],
)
def test_which_requests_are_looked_up(body, rules, expected):
    """As the policy says, and never what has to reach the endpoint."""
    assert expected == is_cacheable(chat(**body), rules)


@pytest.mark.parametrize(
    ("given", "choices", "rules", "expected"),
    [
        (WHOLE, 1, PLAIN, True),
        (answer({"content": None, "refusal": "No."}), 1, PLAIN, True),
        ({"choices": [{**WHOLE["choices"][0], "index": n} for n in (0, 1)]}, 2, PLAIN, True),
        ({"choices": [{**WHOLE["choices"][0], "index": n} for n in (0, 2)]}, 2, PLAIN, False),
        (WHOLE, 2, PLAIN, False),
        ({"choices": []}, 1, PLAIN, False),
        ({"choices": ["a"]}, 1, PLAIN, False),
        ({**WHOLE, "error": {"message": "half of it"}}, 1, PLAIN, False),
        (answer(reason="length"), 1, PLAIN, False),
        (answer(reason="length"), 1, CacheRules(cut=True), True),
        (answer(reason="content_filter"), 1, CacheRules(cut=True, tools=True), False),
        (answer(reason=None), 1, PLAIN, False),
        (answer(reason=["stop"]), 1, PLAIN, False),
        (answer({"content": ""}), 1, PLAIN, False),
        (answer({"content": None, "tool_calls": TOOLS}, "tool_calls"), 1, PLAIN, False),
        (answer({"content": None, "tool_calls": TOOLS}, "tool_calls"), 1, CacheRules(tools=True), True),
        (answer({"content": "Hi.", "audio": {"id": "a"}}), 1, PLAIN, False),
        (answer({"content": "Hi.", "images": [{"url": "a"}]}), 1, PLAIN, False),
    ],
)
def test_which_answers_are_kept(given, choices, rules, expected):
    """Whole ones, of which every choice has come to its end."""
    assert expected == is_complete(given, choices, rules)


@pytest.mark.parametrize(
    ("body", "text", "expected"),
    [
        ({}, "Say hello to them.", 0),
        ({"messages": [{"role": "system", "content": "s"}, *USER]}, "Say hello to them.", 1),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a b"}]}]}, "a b", 0),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a b", "cached": 1}]}]}, "a b", None),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "", None),
        ({"messages": [{"role": "system", "content": "s"}]}, "s", None),
        ({"tools": TOOLS}, "Say hello to them.", None),
        ({}, "Another text.", None),
        ({"messages": [{"role": "user", "content": "x" * 254}]}, "x" * 254, 0),
        ({"messages": [{"role": "user", "content": "x" * 255}]}, "x" * 255, None),
        ({"messages": [{"role": "user", "content": "é" * 128}]}, "é" * 128, None),
        ({"messages": [{"role": "user", "content": "two\nlines"}]}, "two\nlines", None),
        ({"messages": [{"role": "user", "content": "half \ud800 of it"}]}, "half \ud800 of it", None),
    ],
)
def test_which_questions_are_compared_by_their_meaning(body, text, expected):
    """Text on one line, short enough for all of it to be read by the encoder, without tools around."""
    assert expected == question_at({"messages": USER, **body}, text, SIGHT)
