import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.feedback.heard import ENTRY, HEADER, MAX_PIECES, Heard, MisheardError, listen, understood
from gateway.feedback.opinion import Opinion
from gateway.feedback.tokens import Signer
from providers.chat import parse_chat

ID = "0197b3a4-1111-7222-8333-444455556666"
TOKEN = Signer(["a secret of sixteen"]).sign(UUID(ID), "a")


def said(text):
    """Return what a header says."""
    return understood(Heard(text, "header"))


@pytest.mark.parametrize(
    ("words", "opinion"),
    [
        (":up", Opinion("binary", 1.0)),
        (":down", Opinion("binary", 0.0)),
        (": 0.25", Opinion("score", 0.25)),
        ("; score=0.9", Opinion("score", 0.9)),
        (";up", Opinion("binary", 1.0)),
        ("; thumb=down", Opinion("binary", 0.0)),
        ("; binary=true", Opinion("binary", 1.0)),
        ("; binary=0; source=user:42", Opinion("binary", 0.0, source="user:42")),
        ("; label=rude", Opinion("label", name="rude")),
        ('; label="wrong, or; \\"odd\\""; comment="a\\\\b"', Opinion("label", name='wrong, or; "odd"', comment="a\\b")),
        (":up; source=judge", Opinion("binary", 1.0, source="judge")),
    ],
)
@pytest.mark.parametrize("reference", [ID, TOKEN])
def test_words_are_understood(reference, words, opinion):
    """A token or an id, and what is said of it."""
    (piece,) = said(reference + words)

    assert (UUID(ID), opinion) == (piece.decision_id, piece.opinion)
    assert (TOKEN if reference == TOKEN else None) == piece.token


def test_several_pieces_are_separated_by_commas():
    """Also where one of them has a comma in quotes."""
    pieces = said(f'{ID}:up, {TOKEN}; label="a, b" ,{ID}; score=1')

    assert ["binary", "label", "score"] == [piece.opinion.kind for piece in pieces]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it says nothing"),
        ("  ", "it says nothing"),
        (f"{ID}:up," * 17 + f"{ID}:up", "it has 18 pieces"),
        ("x" * 5000, "longer than 4096"),
        (None, "it is no text"),
        (["up"], "it is no text"),
        (ID, "exactly one of"),
        (f"{ID}:sideways", "no number"),
        (f"{ID}; score=1.5", "score is wrong"),
        (f"{ID}; score=nan", "score is wrong"),
        (f"{ID}; score=1; thumb=up", "exactly one of"),
        (f"{ID}; preference=a", "none of score"),
        (f"{ID}; implicit=retry", "none of score"),
        (f"{ID}; binary=perhaps", "neither true nor false"),
        ("no-id:up", "decision_id is wrong"),
        (f'{ID}; label="open', "stands where none belongs"),
        (f"{ID}:up,,{ID}:up", "stands where none belongs"),
    ],
)
def test_what_is_no_feedback_is_told_without_repeating_it(text, reason):
    """The reason may stand in a header of the answer."""
    with pytest.raises(MisheardError, match=reason) as error:
        said(text)

    assert str(error.value).isascii()


@given(text=st.text(max_size=80) | st.text(alphabet=':;,"=\\ updown0.9', max_size=40).map(lambda rest: ID + rest))
def test_any_text_is_understood_or_misheard(text):
    """Nothing that a client can send is more than that; what is told is fit for a header."""
    try:
        told = "" if 1 <= len(said(text)) <= MAX_PIECES else None
    except MisheardError as error:
        told = str(error)

    assert told is not None
    assert told.isascii()
    assert told.isprintable()


def chat(**members):
    """Return a request."""
    return parse_chat(
        json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hi"}], **members}).encode()
    )


def test_the_entry_of_the_metadata_is_not_sent_on():
    """The rest of the metadata is; where there is no rest, there is no metadata."""
    both, heard = listen(chat(metadata={ENTRY: f"{ID}:up", "team": "a"}), {})
    alone, _ = listen(chat(metadata={ENTRY: f"{ID}:up"}), {})

    assert (Heard(f"{ID}:up", "metadata"),) == heard
    assert {"team": "a"} == both.body["metadata"]
    assert "metadata" not in alone.body
    assert ENTRY not in both.text + alone.text


@pytest.mark.parametrize("metadata", [None, {}, {"team": "a"}, ["x"], "x"])
def test_a_request_without_feedback_is_left_as_it_is(metadata):
    """Byte for byte."""
    request = chat(metadata=metadata)

    assert (request, ()) == listen(request, {})


def test_the_header_and_the_metadata_are_both_heard():
    """Each is told apart."""
    _, heard = listen(chat(metadata={ENTRY: 5}), {HEADER: "text"})

    assert (Heard("text", "header"), Heard(5, "metadata")) == heard
