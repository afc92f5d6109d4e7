"""Who may say what of which answer. Pure: what needs the log is left to whoever has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gateway.feedback.errors import FeedbackNotPermitted, TokenRefused, TokenRequired
from gateway.feedback.tokens import decision_of
from gateway.learning.rewards import RewardRules, trust_in
from gateway.learning.trust import TRUSTED

if TYPE_CHECKING:
    from collections.abc import Container
    from uuid import UUID

    from gateway.callers import Access
    from gateway.feedback.opinion import Piece
    from gateway.feedback.tokens import Signer

#: Where an answer has its token.
PROOF_HEADER: Final = "x-pointsman-feedback-token"
#: Who speaks for himself.
USER: Final = "user"


@dataclass(frozen=True, slots=True)
class Rater:
    """Who gives feedback: what tells him from others, whether he may rate every answer, and whether anybody is asked.

    Where nobody is asked for a key (`open`), all are one, and no answer is anybody's own.
    """

    identity: str = ""
    trusted: bool = False
    open: bool = False


#: Whoever shows the admin key.
ADMIN: Final = Rater(f"{TRUSTED}admin", trusted=True)


@dataclass(frozen=True, slots=True)
class FeedbackRules:
    """By which rules feedback is taken. Without a `signer` there are no tokens."""

    signer: Signer | None = None
    require_token: bool = False
    grader_role: str = "grader"
    rewards: RewardRules = field(default_factory=RewardRules)

    def rater(self, access: Access, *, open_: bool) -> Rater:
        """Return as whom a caller gives feedback."""
        if open_:
            return Rater(open=True)
        if access.caller.role == self.grader_role:
            return Rater(f"{TRUSTED}{access.identity}", trusted=True)
        return Rater(access.identity)

    def proves(self, piece: Piece, rater: Rater) -> bool:
        """Tell whether the answer is shown to be the rater's to rate; else it must turn out to be his own.

        Raises `RequestError` for what he may not say, and for a token that is missing or not his.
        """
        if piece.token is not None and decision_of(piece.token) != piece.decision_id:
            raise TokenRefused("The token is that of another decision.", param="token")
        if rater.trusted:
            return True
        if not rater.open:
            self._check_words(piece)
        if self.signer is None:
            return rater.open
        if piece.token is not None:
            if self.signer.accepts(piece.token, piece.decision_id, rater.identity):
                return True
            raise TokenRefused("The token is not one that this caller was given with this answer.", param="token")
        if self.require_token:
            raise TokenRequired(
                f"Only who was given an answer may rate it: send its {PROOF_HEADER!r} as 'token'.", param="token"
            )
        return rater.open

    def proof(self, decision_id: UUID, caller: str) -> dict[str, str]:
        """Return the header with the token of an answer that a caller is given; none where there are no tokens."""
        return {} if self.signer is None else {PROOF_HEADER: self.signer.sign(decision_id, caller)}

    @staticmethod
    def owns(rater: Rater, caller: str) -> bool:
        """Tell whether a request was the rater's own; one of nobody in particular is anybody's."""
        return rater.open or rater.trusted or caller in ("", rater.identity)

    def _check_words(self, piece: Piece) -> None:
        """Refuse what only the trusted may say: what answers show, and to be trusted more than a user is."""
        opinion = piece.opinion
        if opinion.kind == "implicit":
            raise FeedbackNotPermitted(
                f"Only callers of the role {self.grader_role!r} may tell what answers show.", param="implicit"
            )
        if trust_in(opinion.source, self.rewards) > trust_in(USER, self.rewards):
            raise FeedbackNotPermitted(
                f"Only callers of the role {self.grader_role!r} may claim the source {opinion.source!r}: it is trusted "
                "more than a user.",
                param="source",
            )


def known_as(caller: str, named: Container[str]) -> list[str]:
    """Return what the log may call a caller: by its name in the configuration or its key's id, a grader or not."""
    identity = f"callers.{caller}" if caller in named else caller
    return [identity, f"{TRUSTED}{identity}"]
