"""One label of a set that the prompt gives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import with_config

from gateway.profiling.graders._strict import STRICT
from gateway.profiling.graders._text import normal, plain, sentences

DENIAL = re.compile(r"\b(?:not|never|neither|nor|isn t|wasn t|no)(?: an?| the| really| at all)? $")

#: A sentence of at most so many words may come before the answer, as "Sure!" does.
LEAD_IN_WORDS = 4
COMPARED = re.compile(r"\bthan\b.*")


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Label:
    """The answer names `value` in its first sentence, and nowhere another of `labels`.

    With `may_explain`, sentences of some length that follow may name the others too.
    """

    kind: Literal["label"]
    labels: tuple[str, ...]
    value: str
    may_explain: bool = False

    def score(self, answer: str, prompt: str) -> float:  # noqa: ARG002  (labels are in every prompt)
        """Return 1 if the label is the only one named, and is not denied."""
        counting = [words for words in map(normal, sentences(plain(answer))) if self._counts(words)]
        later = [words for words in counting[1:] if not (self.may_explain and _is_long(words))]
        named = [self._named(words) for words in counting[:1] + later]
        return float(bool(named) and bool(named[0]) and set().union(*named) == {normal(self.value)})

    def _counts(self, sentence: str) -> bool:
        """Tell a sentence in which the label must be from a lead-in such as "Sure!"."""
        return bool(self._named(sentence)) or _is_long(sentence)

    def _named(self, words: str) -> set[str]:
        """Return the labels named; a denied one counts as a label of its own, so that it never matches alone."""
        # What follows "than" is what the answer is compared with.
        words = COMPARED.sub("", words)
        # The longest first, so that "not spam" is not read as "spam".
        forms = sorted((normal(label) for label in self.labels), key=len, reverse=True)
        pattern = re.compile(rf"\b(?:{'|'.join(re.escape(form) for form in forms)})\b")
        named = set()
        for match in pattern.finditer(words):
            denied = DENIAL.search(words[max(0, match.start() - 20) : match.start()])
            named.add(f"not {match.group()}?" if denied else match.group())
        return named


def _is_long(sentence: str) -> bool:
    return len(sentence.split()) > LEAD_IN_WORDS
