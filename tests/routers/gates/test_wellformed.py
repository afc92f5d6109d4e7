import pytest

from routers.gates.wellformed import Wellformed
from routers.types import ToolCall
from tests.routers.gates.asking import chance, checked, told


@pytest.mark.parametrize(
    "answer",
    [
        told(""),
        told(" \n"),
        told("42", refusal=True),
        told("42", finish_reason="content_filter"),
        told("The answer is", finish_reason="length"),
        told("", tool_calls=(ToolCall("f", "{"),)),
        told("```python\nprint(\n```"),
        told("ok\n```py\ndef f():\nreturn 1\n```"),
    ],
)
def test_what_is_wrong_at_first_sight_has_no_chance(answer):
    """Empty, refused, cut off, arguments that are no JSON, code that does not parse."""
    assert 0.0 == chance(Wellformed(), answer)


@pytest.mark.parametrize(
    "answer",
    [
        told("42"),
        told("", tool_calls=(ToolCall("f", '{"a": 1}'), ToolCall("g", ""))),
        told("```python\nprint(1)\n```"),
        told("```js\nlet x = {\n```"),
        told("{not json}"),
    ],
)
def test_what_is_not_wrong_at_first_sight_has_the_ceiling(answer):
    """Being well formed is not being right; nobody is asked."""
    assert ([], 1.0) == checked(Wellformed(), answer)
    assert 0.8 == chance(Wellformed(ceiling=0.8), answer)


@pytest.mark.parametrize(("text", "found"), [('{"a": 1}', 1.0), ("[1]", 1.0), ("42 apples", 0.0), ("[" * 20_000, 0.0)])
def test_json_counts_where_it_was_asked_for(text, found):
    """The feature says whether it was."""
    assert found == chance(Wellformed(), told(text), wants_json=True)
    assert 1.0 == chance(Wellformed(), told(text), wants_json=False)


def test_a_ceiling_of_nothing_is_refused():
    """It would let nothing through."""
    with pytest.raises(ValueError, match="ceiling"):
        Wellformed(0)
