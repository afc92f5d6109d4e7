"""What all that users write has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

#: What a policy or a model may be called; a colon would be taken for the dial (`auto:0.3`).
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@/-]{0,127}$")]

#: Who may answer: a model, or a model at an effort (`gpt-5@low`, `gpt-5@budget:2048,max_tokens:4000`).
CandidateName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@/:,-]{0,191}$")]


class Written(BaseModel):
    """The base of all that users write: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False)
