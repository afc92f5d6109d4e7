from uuid import UUID

import pytest

from gateway.callers import OPEN, Access
from gateway.feedback.errors import FeedbackNotPermitted, TokenRefused, TokenRequired
from gateway.feedback.opinion import Opinion, Piece
from gateway.feedback.rights import ADMIN, FeedbackRules, Rater, known_as
from gateway.feedback.tokens import Signer
from gateway.learning.rewards import RewardRules
from gateway.signals.base import Caller

DECISION, OTHER = UUID(int=1), UUID(int=2)
SIGNER = Signer(["a secret of sixteen"])
OWN, FOREIGN = SIGNER.sign(DECISION, "callers.app"), SIGNER.sign(DECISION, "callers.rival")
APP, ANYBODY, GRADER = Rater("callers.app"), Rater(open=True), Rater("trusted:callers.anna", trusted=True)
THUMB = Opinion("binary", 1.0)
PLAIN, SIGNED, STRICT = FeedbackRules(), FeedbackRules(SIGNER), FeedbackRules(SIGNER, require_token=True)


@pytest.mark.parametrize(
    ("rules", "rater", "token", "expected"),
    [
        (PLAIN, APP, None, False),
        (PLAIN, APP, OWN, False),
        (PLAIN, ANYBODY, None, True),
        (PLAIN, GRADER, None, True),
        (SIGNED, APP, None, False),
        (SIGNED, APP, OWN, True),
        (SIGNED, APP, FOREIGN, TokenRefused),
        (SIGNED, ANYBODY, None, True),
        (SIGNED, ANYBODY, OWN, TokenRefused),
        (SIGNED, GRADER, FOREIGN, True),
        (STRICT, APP, None, TokenRequired),
        (STRICT, APP, OWN, True),
        (STRICT, APP, FOREIGN, TokenRefused),
        (STRICT, ANYBODY, None, TokenRequired),
        (STRICT, GRADER, None, True),
        (STRICT, ADMIN, None, True),
    ],
)
def test_who_may_rate_an_answer(rules, rater, token, expected):
    """Its holder by its token, graders always; else it must turn out to be one's own."""
    piece = Piece(DECISION, THUMB, token)

    if isinstance(expected, bool):
        assert expected == rules.proves(piece, rater)
    else:
        with pytest.raises(expected):
            rules.proves(piece, rater)


@pytest.mark.parametrize("rules", [PLAIN, SIGNED, STRICT])
@pytest.mark.parametrize("rater", [APP, ANYBODY, GRADER])
def test_a_token_of_another_decision_proves_nothing(rules, rater):
    """Whoever shows it has mixed something up."""
    with pytest.raises(TokenRefused, match="another decision"):
        rules.proves(Piece(OTHER, THUMB, OWN), rater)


@pytest.mark.parametrize(
    ("opinion", "param"),
    [
        (Opinion("implicit", 0.0, name="retry"), "implicit"),
        (Opinion("score", 1.0, source="grader"), "source"),
        (Opinion("score", 1.0, source="grader:me"), "source"),
    ],
)
def test_only_the_trusted_may_speak_as_such(opinion, param):
    """A caller claims neither what answers show nor a source that is trusted more than a user."""
    rules = FeedbackRules(rewards=RewardRules(sources={"user": 0.5, "grader": 1.0, "judge": 0.5}, strangers=0.1))

    with pytest.raises(FeedbackNotPermitted) as error:
        rules.proves(Piece(DECISION, opinion), APP)

    assert param == error.value.param
    assert rules.proves(Piece(DECISION, opinion), GRADER)
    assert rules.proves(Piece(DECISION, opinion), ANYBODY)
    assert rules.proves(Piece(DECISION, Opinion("score", 1.0, source="judge")), APP) is False


@pytest.mark.parametrize(
    ("rater", "caller", "expected"),
    [
        (APP, "callers.app", True),
        (APP, "callers.rival", False),
        (APP, "", True),
        (ANYBODY, "x", True),
        (ADMIN, "x", True),
    ],
)
def test_whose_a_decision_is(rater, caller, expected):
    """That of nobody in particular is anybody's."""
    assert expected == FeedbackRules.owns(rater, caller)


def test_graders_are_known_by_their_role():
    """Their words are marked, so that no cap is laid on them; where nobody is asked, all are one."""
    anna = Access(caller=Caller("anna", role="grader"), key="callers.anna")
    app = Access(caller=Caller("app", role="service"), key="callers.app")

    assert [GRADER, APP, ANYBODY] == [
        PLAIN.rater(anna, open_=False),
        PLAIN.rater(app, open_=False),
        PLAIN.rater(OPEN, open_=True),
    ]
    assert APP == FeedbackRules(grader_role="judge").rater(app, open_=False)


def test_an_answer_carries_its_token():
    """For the caller whom it was given to; none where there are no tokens."""
    assert {"x-pointsman-feedback-token": OWN} == SIGNED.proof(DECISION, "callers.app")
    assert {} == PLAIN.proof(DECISION, "callers.app")


def test_a_caller_is_found_as_the_log_knows_it():
    """By its name in the configuration, or by its key's id; as a grader or not."""
    assert ["callers.anna", "trusted:callers.anna"] == known_as("anna", {"anna"})
    assert ["key_1", "trusted:key_1"] == known_as("key_1", {"anna"})
