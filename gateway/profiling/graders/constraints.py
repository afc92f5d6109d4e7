"""Instructions about the form, each of which a program can check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, with_config

from gateway.profiling.graders._strict import STRICT
from gateway.profiling.graders._text import plain
from gateway.profiling.graders.checks import Case, Contains, Count, Ends, Keys, Numbered, Starts

Check = Annotated[Count | Contains | Starts | Ends | Case | Numbered | Keys, Field(discriminator="check")]


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Constraints:
    """The answer keeps to every one of `checks`."""

    kind: Literal["constraints"]
    checks: tuple[Check, ...]

    def score(self, answer: str, prompt: str) -> float:  # noqa: ARG002  (checks say what they look for)
        """Return 1 if every check holds, else 0: an instruction that was half followed was not followed."""
        text = plain(answer)
        return float(all(check.holds(text) for check in self.checks))
