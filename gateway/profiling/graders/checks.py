"""The checks that `constraints` is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import with_config

from gateway.profiling.graders._strict import STRICT
from gateway.profiling.graders._text import QUOTES, WORD, contains, lines, normal
from gateway.profiling.graders.json_value import json_values

NUMBERED = re.compile(r"^(\d+)[.)]\s+\S")
SENTENCE_END = re.compile(r"[.!?]+[\"”’)]*(?:\s|$)")  # noqa: RUF001  (models do write typographic quotes)


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Count:
    """The answer has at least `least` and at most `most` words, sentences, lines or letters."""

    check: Literal["count"]
    of: Literal["words", "sentences", "lines", "letters"]
    least: int
    most: int

    def holds(self, text: str) -> bool:
        """Tell whether the number is within the bounds."""
        return self.least <= self._number(text) <= self.most

    def _number(self, text: str) -> int:
        if self.of == "words":
            return len(WORD.findall(text))
        if self.of == "sentences":
            return sum(WORD.search(sentence) is not None for sentence in SENTENCE_END.split(text))
        return len(lines(text)) if self.of == "lines" else sum(letter.isalpha() for letter in text)


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Contains:
    """The answer has every word of `every`, one or more of `some` (if any), and none of `none`.

    A form with a `*` at its end is the beginning of a word; one in slashes is found anywhere, as it is.
    """

    check: Literal["contains"]
    every: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    def holds(self, text: str) -> bool:
        """Tell whether the words are as asked."""
        return (
            all(_has(text, form) for form in self.every)
            and (not self.some or any(_has(text, form) for form in self.some))
            and not any(_has(text, form) for form in self.none)
        )


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Starts:
    """The answer begins with `value`, quotes and case aside."""

    check: Literal["starts"]
    value: str

    def holds(self, text: str) -> bool:
        """Tell whether the beginning is as asked."""
        return text.strip(QUOTES).casefold().startswith(self.value.casefold())


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Ends:
    """The answer ends with `value`, quotes and case aside, and a full stop unless `value` has its own mark."""

    check: Literal["ends"]
    value: str

    def holds(self, text: str) -> bool:
        """Tell whether the end is as asked."""
        end = text.strip(QUOTES).casefold()
        end = end if self.value[-1] in ".!?" else end.rstrip(".!")
        return end.endswith(self.value.casefold())


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Case:
    """Every letter is in upper case, or in lower case."""

    check: Literal["case"]
    value: Literal["upper", "lower"]

    def holds(self, text: str) -> bool:
        """Tell whether there are letters, and all in that case."""
        return text.isupper() if self.value == "upper" else text.islower()


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Numbered:
    """The answer is a list numbered from 1, of `items` items, each different."""

    check: Literal["numbered"]
    items: int

    def holds(self, text: str) -> bool:
        """Tell whether the numbers are those asked for, in order, and no item occurs twice."""
        found = [match for line in lines(text) if (match := NUMBERED.match(line))]
        numbers = [int(match.group(1)[:4]) for match in found]
        items = {normal(match.string[match.end(1) :]) for match in found}
        return numbers == list(range(1, self.items + 1)) and len(items) == self.items


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Keys:
    """The answer holds one JSON object with these keys and no others, none of them empty."""

    check: Literal["keys"]
    keys: tuple[str, ...]

    def holds(self, text: str) -> bool:
        """Tell whether the object is there and has the keys."""
        found = list(json_values(text))
        if len(found) != 1 or not isinstance(found[0], Mapping):
            return False
        filled = all(value not in (None, "", [], {}) for value in found[0].values())
        return filled and set(found[0]) == set(self.keys)


def _has(text: str, form: str) -> bool:
    if form.startswith("/"):
        return form.strip("/").casefold() in text.casefold()
    if form.endswith("*"):
        return f" {normal(form)}" in f" {normal(text)}"
    return contains(normal(text), normal(form))
