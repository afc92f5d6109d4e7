"""A fact: a short phrase that has several accepted forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import with_config

from gateway.profiling.graders._strict import STRICT
from gateway.profiling.graders._text import WORD, bare, contains, lines, normal, plain, sentences

#: A longer sentence is an essay in which anything may occur.
MOST_WORDS = 40
SEPARATORS = re.compile(r"[,;/|]|\bor\b|\band\b", re.IGNORECASE)
DENIAL = r"\b(?:not|never|no|neither|nor|isn t|wasn t|aren t|rather than|instead of)(?: \w+){0,3} "
# fmt: off
EMPTY_WORDS = frozenset({
    "a", "an", "the", "it", "is", "was", "are", "were", "of", "in", "on", "at", "to", "for",
    "by", "with", "its", "this", "that", "also", "known", "as", "called", "sir", "mr", "mrs",
    "dr",
})
# fmt: on

#: What begins with one of these describes the name before it.
DESCRIBING = [["a"], ["an"], ["on"], ["in"], ["at"], ["by"], ["from"], ["with"], ["which"], ["who"], ["where"]]


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Phrase:
    """The answer names one of `accept` in its first sentence, and neither a rival nor one of `reject`."""

    kind: Literal["phrase"]
    accept: tuple[str, ...]
    reject: tuple[str, ...] = ()

    def score(self, answer: str, prompt: str) -> float:
        """Return 1 for an accepted form, alone or in a sentence; 0 if it is denied or one of several named."""
        text = lines(plain(answer))
        head = next(iter(sentences(bare("".join(text[:1])))), "")
        if normal(head) in self._accepted():
            return float(not self._rivals(text[1:2], prompt))
        return float(self._stated(normal(head)) and not self._rivals([*SEPARATORS.split(head), *text[1:2]], prompt))

    def _accepted(self) -> list[str]:
        return [normal(form) for form in self.accept]

    def _stated(self, words: str) -> bool:
        if len(words.split()) > MOST_WORDS or any(contains(words, normal(form)) for form in self.reject):
            return False
        named = [form for form in self._accepted() if contains(words, form)]
        return bool(named) and not any(re.search(DENIAL + re.escape(form), words) for form in named)

    def _rivals(self, segments: list[str], prompt: str) -> list[str]:
        """Return the segments that are nothing but another name: one to three new words.

        Where names are asked for and the answer uses capital letters, only what has one can be a name.
        """
        asked = normal(prompt).split()
        named = all(map(_is_name, self.accept)) and any(map(_is_name, segments))
        candidates = [segment for segment in segments if not named or _is_name(segment)]
        return [segment for segment in candidates if self._is_rival(normal(bare(segment)), asked)]

    def _is_rival(self, segment: str, asked: list[str]) -> bool:
        if any(contains(segment, form) for form in self._accepted()) or segment.split()[:1] in DESCRIBING:
            return False
        new = [word for word in segment.split() if word not in EMPTY_WORDS and word not in asked]
        return bool(new) and len(segment.split()) <= 3


def _is_name(text: str) -> bool:
    """Tell whether the first word that carries meaning has a capital letter."""
    words = [word for word in WORD.findall(text) if word.lower() not in EMPTY_WORDS]
    return bool(words) and words[0][0].isupper()
