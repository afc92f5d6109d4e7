from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.feedback.tokens import Signer, decision_of, is_token

SECRET, OTHER = "a secret of the operator", "another, which was there before"
IDS = st.uuids()
CALLERS = st.text(max_size=12)
DECISION = UUID(int=7)


@given(decision_id=IDS, caller=CALLERS)
def test_a_token_is_good_for_its_answer_and_its_caller(decision_id, caller):
    """It is short, may stand in an address, and says which decision it is of."""
    signer = Signer([SECRET])
    token = signer.sign(decision_id, caller)

    assert signer.accepts(token, decision_id, caller)
    assert (43, True, decision_id) == (len(token), is_token(token), decision_of(token))
    assert token.replace("-", "").replace("_", "").isalnum()


@given(decision_id=IDS, other=IDS, caller=CALLERS, stranger=CALLERS)
def test_it_is_good_for_no_other(decision_id, other, caller, stranger):
    """Neither another decision nor another caller passes with it."""
    signer = Signer([SECRET])
    token = signer.sign(decision_id, caller)

    assert (other == decision_id) == signer.accepts(token, other, caller)
    assert (stranger == caller) == signer.accepts(token, decision_id, stranger)


@given(place=st.integers(0, 42), character=st.sampled_from("AQgw048_-zZ"))
def test_a_changed_token_is_none(place, character):
    """Whatever character is another, the token is refused; each token has one spelling."""
    signer = Signer([SECRET])
    token = signer.sign(DECISION, "a")
    forged = token[:place] + character + token[place + 1 :]

    assert (forged == token) == signer.accepts(forged, DECISION, "a")


@given(text=st.text(max_size=60))
def test_what_is_no_token_is_refused(text):
    """Any text is looked at without harm."""
    assert not Signer([SECRET]).accepts(text, DECISION, "a")


def test_secrets_are_rotated_without_a_break():
    """The first signs; what the second signed is still good, until it is taken out."""
    old = Signer([OTHER]).sign(DECISION, "a")
    both = Signer([SECRET, OTHER])

    assert both.accepts(old, DECISION, "a")
    assert both.sign(DECISION, "a") == Signer([SECRET]).sign(DECISION, "a")
    assert not Signer([SECRET]).accepts(old, DECISION, "a")


def test_without_a_secret_there_is_no_signer():
    """Nobody signs with nothing."""
    with pytest.raises(ValueError, match=r"feedback\.secret"):
        Signer([])


def test_a_signer_does_not_show_its_secrets():
    """Neither as text nor in what an error might print."""
    assert SECRET not in repr(Signer([SECRET]))


def test_a_line_break_is_no_part_of_a_token():
    """What a pattern takes for an end is not one."""
    token = Signer([SECRET]).sign(uuid4(), "a")

    assert not is_token(token + "\n")
