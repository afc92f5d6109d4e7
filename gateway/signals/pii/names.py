"""Names of people: a given name with a surname, or a name that the words about it announce.

A given name alone is nobody's in particular: it counts only where someone is introduced, addressed or signs with it.
Names of public life, fiction and brands (`famous.txt`) count only where they are announced.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.signals.pii import announced
from gateway.signals.pii.finding import Finding
from gateway.signals.pii.lexicon import fold, lexicon, words_of
from gateway.signals.pii.words import RUN, WORD, Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.signals.pii.lexicon import Lexicon

_WORD: Final = re.compile(WORD)
_RUN: Final = re.compile(RUN)
#: What follows a person's name where it is that of a street, a school, a firm, a prize or a law.
_NAMED_AFTER: Final = words_of("named after")
#: What stands before a name that is that of a place.
_PLACE_OF: Final = words_of("place of")
_VERBS_TOO: Final = words_of("verbs too")
_PARTICLES: Final = words_of("particles")
#: In a heading every word has a capital: there only a known surname is one.
_HEADING: Final = 4


def names(text: str) -> Iterator[Finding]:
    """Yield the names of people."""
    known = lexicon()
    yield from announced.names(text, known)
    for run in _RUN.finditer(text):
        if " " in run[0]:
            yield from _of_run(_words(run, known), known)


def _words(run: re.Match[str], known: Lexicon) -> list[Word]:
    return [Word.of(match, run.start(), known) for match in _WORD.finditer(run[0])]


def _of_run(words: Sequence[Word], known: Lexicon) -> Iterator[Finding]:
    place = 0
    while place < len(words):
        end = _end(words, place)
        if end and not _is_famous(words[place:end], known):
            yield Finding("name", words[place].start, words[end - 1].end)
        place = end or place + 1


def _end(words: Sequence[Word], first: int) -> int:
    """Return the index after the last word of the name that begins at `first`; 0 where none does."""
    if not words[first].given or any(word.folded in _PLACE_OF for word in words[max(0, first - 1) : first + 1]):
        return 0
    last = first + 1
    while last + 1 < len(words) and _between(words, first, last):
        last += 1
    if last >= len(words) or not _is_surname(words, first, last):
        return 0
    while last + 1 < len(words) and words[last + 1].only_surname:
        last += 1
    named_after = last + 1 < len(words) and words[last + 1].folded in _NAMED_AFTER
    return 0 if named_after else last + 1


def _between(words: Sequence[Word], first: int, place: int) -> bool:
    """Tell whether a word stands between the first given name and the surname: an initial, a name, a particle."""
    word = words[place]
    return word.initial or word.folded in _PARTICLES or (word.given and _is_surname(words, first, place + 1))


def _is_surname(words: Sequence[Word], first: int, last: int) -> bool:
    given, word = words[first], words[last]
    if word.initial or word.folded in _NAMED_AFTER or (word.strong and given.folded in _VERBS_TOO):
        return False
    if word.surname and not word.plain:
        return True
    if given.ambiguous or len(words) > _HEADING:
        return False
    acronym = word.text.isupper() and not given.text.isupper()
    return word.plain or (not word.known and len(word.folded) > 2 and not acronym) or (word.strong and not word.common)


def _is_famous(words: Sequence[Word], known: Lexicon) -> bool:
    folded = [fold(word.text) for word in words]
    whole = " ".join(folded)
    short = " ".join(word.folded for word in words if not word.initial)
    return whole in known.famous or short in known.famous or " ".join(folded[-2:]) in known.famous
