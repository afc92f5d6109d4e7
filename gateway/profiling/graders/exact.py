"""A text that must be reproduced, such as what a program prints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import with_config

from gateway.profiling.graders._strict import STRICT
from gateway.profiling.graders._text import bare, fenced, lines, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

QUOTED = re.compile(r"[\"“`]([^\"”`\n]+)[\"”`]|'([^'\n]+)'(?!\w)")
LEAD = re.compile(r"^.*?(?::|\b(?:is|prints|print|outputs|returns|be):?)\s+", re.IGNORECASE)
BOLD = re.compile(r"\*\*([^*\n]+)\*\*")

#: A second line of so many words explains the first; a shorter one may be another guess.
EXPLANATION_WORDS = 4


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Exact:
    """The answer is `value`, letter for letter but for spaces at line ends and, unless asked for, case."""

    kind: Literal["exact"]
    value: str
    case_sensitive: bool = False

    def score(self, answer: str, prompt: str) -> float:
        """Return 1 if the answer, or the one text that it presents in a sentence, is the value."""
        wanted = self._form(self.value)
        return float(any(self._form(text) == wanted for text in readings(answer, prompt)))

    def _form(self, text: str) -> str:
        stripped = "\n".join(line.rstrip() for line in text.strip().splitlines())
        return stripped if self.case_sensitive else stripped.casefold()


def readings(answer: str, prompt: str) -> Iterator[str]:
    """Yield what an answer may be presenting: itself, its only block, and of its first line what is quoted or told.

    Each is the whole of what the answer presents, so that a list of guesses is never one of them.
    """
    text = plain(answer)
    yield answer
    yield text
    yield bare(text)
    if len(blocks := fenced(answer)) == 1:
        yield blocks[0]
    first, *others = lines(answer)
    if others and len(others[0].split()) < EXPLANATION_WORDS:
        return
    if len(new := _quotations(first, prompt)) == 1:
        yield new.pop()
    elif not new and LEAD.match(first):
        yield bare(LEAD.sub("", plain(first)))


def _quotations(line: str, prompt: str) -> set[str]:
    quoted = {first or second for first, second in QUOTED.findall(line)} | set(BOLD.findall(line))
    return {bare(text) for text in quoted if text not in prompt}
