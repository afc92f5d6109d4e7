from __future__ import annotations

import pytest

from providers.adapters.choices import answer_defect, chunk_defect, finish_reasons, says_something


def chunk(delta=None, **members):
    return {"choices": [{"index": 0, "delta": {"content": "x"} if delta is None else delta, **members}]}


@pytest.mark.parametrize(
    "good",
    [
        chunk(),
        chunk({}),
        chunk({"content": None, "role": "assistant"}, finish_reason=None),
        chunk({"content": [{"type": "thinking", "thinking": []}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}),
        chunk({"tool_calls": [{"index": 0, "custom": {"input": "x"}}]}),
        chunk({"tool_calls": None}, finish_reason="stop"),
        {"choices": [{"index": 0, "content_filter_results": {}}]},
        {"choices": [{"delta": {"content": "x"}}]},
        {"choices": [], "usage": {"prompt_tokens": 1}},
        {"usage": {"prompt_tokens": 1}},
        {"choices": None, "usage": {}},
    ],
)
def test_chunks_as_endpoints_write_them_have_no_defect(good):
    """What real servers leave out or add is no reason to break an answer off."""
    assert chunk_defect(good, numbered=False) is None


@pytest.mark.parametrize(
    "several",
    [
        {"choices": [{"delta": {}}]},
        {"choices": [{"delta": {}, "index": None}]},
        {"choices": [{"delta": {}, "index": "0"}]},
    ],
)
def test_of_several_choices_each_must_say_which_it_is(several):
    """Else the texts of two answers would be mixed."""
    assert "holds a choice without its index" == chunk_defect(several, numbered=True)
    two = {"choices": several["choices"] * 2}
    assert "holds a choice without its index" == chunk_defect(two, numbered=False)


@pytest.mark.parametrize(
    "body", [None, [], {}, {"choices": []}, {"choices": [1]}, {"choices": [{}]}, {"choices": [{"message": "x"}]}]
)
def test_an_answer_needs_a_choice_with_a_message(body):
    """Nothing less can be read by a client."""
    assert answer_defect(body) is not None
    assert answer_defect({"choices": [{"message": {"content": "x"}}]}) is None


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (chunk({"role": "assistant"}), False),
        (chunk({"role": "assistant", "content": ""}), False),
        (chunk({"role": "assistant", "content": None, "refusal": None, "tool_calls": []}), False),
        ({"choices": [], "prompt_filter_results": [1]}, False),
        ({"usage": {}}, False),
        (chunk({"content": " "}), True),
        (chunk({"reasoning_content": "hm"}), True),
        (chunk({"tool_calls": [{"index": 0}]}), True),
        (chunk({"audio": {"data": "x"}}), True),
        (chunk({}, finish_reason="stop"), True),
    ],
)
def test_an_answer_begins_when_something_is_said(one, says):
    """A role is a promise only; a finish reason is an answer, if an empty one."""
    assert says == says_something(one)


def test_finish_reasons_are_told_apart_by_their_choice():
    """An empty one is none, and a choice without index is the first."""
    body = {
        "choices": [
            {"finish_reason": "stop"},
            {"index": 1, "finish_reason": "length"},
            {"index": 2, "finish_reason": ""},
        ]
    }

    assert {0: "stop", 1: "length"} == finish_reasons(body)
