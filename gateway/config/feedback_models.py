"""What users write about feedback: who may give it, how far it is trusted, and what labels are worth."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeFloat, SecretStr

from gateway.config.written import Written
from gateway.learning.rewards import STRANGERS_TRUST, TRUST

#: Between nothing and all.
Part = Annotated[float, Field(ge=0, le=1)]
#: Which kind of judge says so; what stands behind a colon is who of them.
Source = Annotated[str, Field(pattern="^[^\\s:][^\\s]{0,63}$")]
Label = Annotated[str, Field(min_length=1, max_length=64)]
Secret = Annotated[SecretStr, Field(min_length=16)]


class FeedbackConfig(Written):
    """Who may rate an answer, and how far that counts when it is learned from."""

    secret: tuple[Secret, ...] | Secret | None = Field(
        None,
        description="The secret that tokens are signed with, of at least 16 characters: with it every answer carries "
        "`x-pointsman-feedback-token`. A list is for rotation: the first signs, all are accepted. Replicas share it.",
    )
    require_token: bool = Field(
        default=False, description="Whether only who has an answer's token may rate it, besides `grader_role`."
    )
    grader_role: str = Field(
        "grader",
        min_length=1,
        description="Callers of this role may rate every answer, tell what answers show (`implicit`), and claim any "
        "source.",
    )
    sources: dict[Source, Part] = Field(
        default_factory=lambda: dict(TRUST),
        description="How far each source is trusted, from 0 (not at all) to 1; these replace the table.",
    )
    strangers: Part = Field(STRANGERS_TRUST, description="How far a source is trusted that is not in `sources`.")
    labels: dict[Label, Part] = Field(
        default_factory=dict,
        description="What an answer is worth that has a label; of other labels nothing is learned.",
    )
    failure: Part | None = Field(
        None,
        description="What an answer is worth that came to nothing; null: nothing is learned from that.",
    )
    caller_share: Part = Field(
        0.2, description="The share of all that is learned of a model that one caller's word may have; 1 is no cap."
    )
    caller_allowance: NonNegativeFloat = Field(
        50.0, description="Full ratings of a model that count of any caller, also beyond `caller_share`."
    )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the secrets, the one to sign with first."""
        listed = self.secret if isinstance(self.secret, tuple) else (self.secret,)
        return tuple(secret.get_secret_value() for secret in listed if secret is not None)
