from random import Random

from hypothesis import given
from hypothesis import strategies as st

from routers.plans.quoting import LONGEST, mark_of, merging, quoted
from routers.types import Answer, Candidate

MARK = mark_of(Random(0))


def answers(*texts):
    return [Answer(Candidate("m"), text=text) for text in texts]


def test_each_answer_stands_between_marks():
    """In the order given."""
    assert f"{MARK} answer 1\none\n{MARK} end\n{MARK} answer 2\ntwo\n{MARK} end" == quoted(answers("one", "two"), MARK)


@given(st.lists(st.text(alphabet=st.sampled_from([*MARK, "\n", "x"]), max_size=60)), st.integers(0, 20))
def test_no_answer_can_end_its_quotation(texts, at):
    """Whatever it holds, even the mark, or a mark within a mark."""
    hostile = [text[:at] + MARK[:5] + MARK + MARK[5:] + text[at:] for text in texts]
    lines = quoted(answers(*hostile), MARK).splitlines()

    assert 2 * len(hostile) == sum(MARK in line for line in lines)


def test_a_flood_is_cut_in_the_middle():
    """The beginning and the end are kept."""
    shown = quoted(answers("a" + "x" * 2 * LONGEST + "z"), MARK)

    assert len(shown) < LONGEST + 200
    assert "\na" in shown
    assert "z\n" in shown


def test_marks_differ_from_one_request_to_the_next():
    """So that nobody can have known them."""
    assert mark_of(Random(1)) != MARK
    (turn,) = merging(answers("one"), MARK)
    assert "not for you" in turn.content
