"""What users write about judging."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from gateway.config.written import CandidateName, Name, Written

Share = Annotated[float, Field(ge=0, le=1)]


class JudgingConfig(Written):
    """A sample of answers is judged by models of the pool, in the background."""

    judge: tuple[CandidateName, ...] | CandidateName = Field(
        min_length=1,
        description="A model that judges, or several: the first that may see the request, and is of another family "
        "than who answered it. Their prices have to be known.",
    )
    mode: Literal["score", "pairwise"] = Field(
        "score",
        description="`score`: a grade; `pairwise`: whether it is better than a second answer, which another model of "
        "the pool is asked for, in both orders.",
    )
    share: Share = Field(0.01, description="Share of the answers that is judged.")
    shares: dict[Name, Share] = Field(
        default_factory=dict, description="That share under a policy (or of a model that is asked by its own name)."
    )
    max_usd_per_day: Decimal = Field(
        Decimal(1), ge=0, description="USD that judging may take in a day (UTC), second answers included."
    )
    weigh: Literal["even", "uncertainty"] = Field(
        "even",
        description="`uncertainty`: the less is known of the model that answered, the likelier its answer is judged.",
    )
    criteria: str = Field("", max_length=8000, description="What judges are told besides: what counts here.")
    families: dict[Name, str] = Field(
        default_factory=dict, description="Families of models; by default the first word of a model's name."
    )
    at_once: PositiveInt = Field(2, description="Answers that are judged side by side.")
    queue: NonNegativeInt = Field(100, description="Answers that may wait to be judged; further ones are not.")
    timeout_s: PositiveFloat = Field(60.0, description="Seconds that a judge, or a second answer, may take.")
    max_characters: PositiveInt = Field(
        24_000, description="Characters of a conversation with its answer; longer ones are not judged."
    )
    max_tokens: PositiveInt = Field(1024, description="Tokens that a judge may write, its thoughts included.")

    @property
    def judges(self) -> tuple[str, ...]:
        """Return the judges, the first to be asked first."""
        return self.judge if isinstance(self.judge, tuple) else (self.judge,)
