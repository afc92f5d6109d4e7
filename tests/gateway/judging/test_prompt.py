from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.judging.prompt import pair_prompt, prompt_digest, readable, score_prompt

NONCE = "5eed" * 6


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_what_is_judged_stands_between_marks(question, answer, criteria):
    """As it is, whatever it holds, and what is asked stands after it."""
    system, user = score_prompt(question, answer, NONCE, criteria)

    assert f"<<<{NONCE} CONVERSATION\n{question}\n{NONCE} END OF CONVERSATION>>>" in user["content"]
    assert f"<<<{NONCE} ANSWER\n{answer}\n{NONCE} END OF ANSWER>>>" in user["content"]
    assert user["content"].endswith(f'{{"id": "{NONCE}", "score": GRADE}}')
    assert criteria in system["content"]
    assert NONCE in system["content"]


def test_two_answers_have_their_places():
    """The first is A."""
    _, user = pair_prompt("q", ("one", "two"), NONCE)

    assert user["content"].index("ANSWER A\none") < user["content"].index("ANSWER B\ntwo")


def test_other_criteria_are_another_judge():
    """The digest tells them apart."""
    assert prompt_digest("") == prompt_digest("")
    assert prompt_digest("") != prompt_digest("Be strict.")


def test_a_conversation_is_read_with_its_roles():
    """Calls of tools are shown; what is not text is not judged."""
    call = {"function": {"name": "f", "arguments": "{}"}}
    body = {"messages": [{"role": "user", "content": "Hi."}, {"role": "assistant", "tool_calls": [call]}]}
    picture = {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}

    assert "[user]\nHi.\n\n[assistant]\n\n(calls f {})" == readable(body)
    assert [None, None] == [readable(picture), readable({"messages": []})]
