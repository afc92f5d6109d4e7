"""What users write about implicit feedback."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, SecretStr

from gateway.config.written import Name, Written

#: What an answer is worth of which a sign was seen; null: it is not recorded.
Value = Annotated[float, Field(ge=0, le=1)] | None


class SignalValuesConfig(Written):
    """What an answer is worth in which a sign is seen, from 0 to 1; null: the sign is not recorded."""

    retry: Value = Field(0.2, description="The same request comes again.")
    regenerate: Value = Field(0.2, description="A conversation drops its last answer, and is asked again.")
    edited: Value = Field(
        0.3, description="The answer comes back changed: worth this where nothing is left of it, and more in between."
    )
    continued: Value = Field(0.7, description="The answer comes back unchanged, and the conversation goes on.")
    tool_failed: Value = Field(
        0.3, description="A call that is not what the tool takes, or after which the tool tells an error."
    )
    invalid_json: Value = Field(0.1, description="JSON was asked for, and the answer is none, or not by its schema.")
    truncated: Value = Field(0.4, description="The answer was cut at its limit of tokens.")
    empty: Value = Field(0.0, description="The answer says nothing.")
    refused: Value = Field(0.3, description="The model refused, or a filter did.")
    well_formed: Value = Field(
        0.7, description="JSON was asked for, or a tool was called, and it is as it was asked for; beyond that unknown."
    )


class ImplicitConfig(Written):
    """Feedback that callers give by what they do, and answers by what they lack. No text is kept for it."""

    enabled: bool = Field(default=True, description="Whether it is recorded at all.")
    signals: SignalValuesConfig = Field(
        SignalValuesConfig(), description="What each sign says: [below](#implicit-signals)."
    )
    window_s: PositiveFloat = Field(600.0, description="Seconds after an answer in which what follows is about it.")
    pause_s: NonNegativeFloat = Field(
        1.0, description="Seconds within which nobody has read an answer: who asks again sooner is a program."
    )
    repeats: NonNegativeInt = Field(
        2, description="How often a request that is asked again tells something; beyond that a program asks all day."
    )
    small_limit: NonNegativeInt = Field(
        256, description="An answer that was cut at a limit of fewer tokens, set by the request, is not `truncated`."
    )
    key: SecretStr | None = Field(
        None,
        min_length=16,
        description="The secret that digests are made with. By default one is drawn, which replicas share by Redis.",
    )
    except_policies: tuple[Name, ...] = Field((), description="Policies and models whose requests are left alone.")
    except_callers: tuple[Name, ...] = Field((), description="Callers whose requests are left alone.")
