"""A number: the one that the answer settles on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import with_config

from gateway.profiling.graders._strict import STRICT
from gateway.profiling.graders._text import lines, plain

NUMBER = re.compile(r"(?:(?<![\w)])[-−])?\d[\d,]*(?:\.\d+)?")  # noqa: RUF001  (models do write a typographic minus)
SETTLED = re.compile(r"(?:\banswer\b|\btotal\b|\bresult\b|=|\bboxed\{)", re.IGNORECASE)
#: Numbers with nothing but this between them are a list of guesses, not an answer.
LISTED = re.compile(r"(?:[\s,;/|&–-]|\band\b|\bto\b)*|.*\bor\b.*", re.DOTALL)  # noqa: RUF001
# fmt: off
WORDS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty",
]
# fmt: on


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Number:
    """The answer is a number, within `tolerance`; units, working and prose around it do not matter."""

    kind: Literal["number"]
    value: float
    tolerance: float = 1e-9

    def score(self, answer: str, prompt: str) -> float:  # noqa: ARG002  (a number repeats no question)
        """Return 1 for the number, 0 for any other and for a list of numbers."""
        found = settled_number(plain(answer))
        return float(found is not None and abs(found - self.value) <= self.tolerance)


def settled_number(text: str) -> float | None:
    """Return the number that a text settles on, or None if there is none or the text hedges.

    In this order: a first line that is little more than a number; the number after the last "=", "answer",
    "total" or "result"; the last number.
    """
    text = text.replace("\\", "").replace("$", "")
    numbers = list(NUMBER.finditer(text))
    if not numbers:
        return number_word(text)
    chosen = _choose(text, numbers)
    if _hedged(text, numbers, chosen):
        return None
    return _value(numbers[chosen])


def number_word(text: str) -> float | None:
    """Return the value of the only number word in a text, or None if it has none or several."""
    found = {WORDS.index(word) for word in re.findall(r"[a-z]+", text.lower()) if word in WORDS}
    return float(found.pop()) if len(found) == 1 else None


def _choose(text: str, numbers: list[re.Match[str]]) -> int:
    first_line = lines(text)[0]
    if len(NUMBER.findall(first_line)) == 1 and len(first_line.split()) <= 3:
        return 0
    markers = list(SETTLED.finditer(text))
    after = [place for place, number in enumerate(numbers) if markers and number.start() >= markers[-1].end()]
    return after[0] if after else len(numbers) - 1


def _hedged(text: str, numbers: list[re.Match[str]], chosen: int) -> bool:
    """Tell whether a neighbour of the chosen number is a different one, listed with it."""
    for left, right in ((chosen - 1, chosen), (chosen, chosen + 1)):
        if left < 0 or right >= len(numbers):
            continue
        between = text[numbers[left].end() : numbers[right].start()]
        if _value(numbers[left]) != _value(numbers[right]) and LISTED.fullmatch(between):
            return True
    return False


def _value(match: re.Match[str]) -> float:
    return float(match.group().replace(",", "").replace("−", "-"))  # noqa: RUF001
