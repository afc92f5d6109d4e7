"""Asking a model whether an answer is right, and reading what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from routers.types import Turn

if TYPE_CHECKING:
    from routers.types import Answer

#: What is asked: of nobody in particular, in few words, to be answered in one.
QUESTION: Final = (
    "Look at the last answer once more, step by step if need be. Is it correct and complete? "
    "End with one line: VERDICT: YES or VERDICT: NO."
)
_VERDICT = re.compile(r"verdict\W{0,5}(yes|no)\b", re.IGNORECASE)
_WORD = re.compile(r"^\W*(yes|no)\b", re.IGNORECASE)


def asked_about(answer: Answer) -> tuple[Turn, ...]:
    """Return the turns that show an answer as it was given, and ask about it."""
    return Turn("assistant", answer.text), Turn("user", QUESTION)


def verdict(said: Answer) -> float | None:
    """Return 1 for yes, 0 for no, None for neither: what cannot be read is no verdict."""
    if said.error is not None:
        return None
    found = _VERDICT.findall(said.text) or _WORD.findall(said.text)
    return float(found[-1].lower() == "yes") if found else None
