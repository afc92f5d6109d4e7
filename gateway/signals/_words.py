"""Finds words and phrases in texts of any script: at word boundaries where the script has any."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

#: Scripts that write words together, or particles on to nouns (Korean): a word may begin and end anywhere in them.
UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{UNSPACED}]")
#: Letters before this need no closer look: all of their scripts have spaces.
_ALL_SPACED_BEFORE = "\u0900"
#: What stands between words in ASCII.
_PIECE = re.compile(r"[^\s\x00-\x1f!-/:-@\[-^`{-\x7f]+")


@dataclass(frozen=True, slots=True)
class View:
    """A text as words are looked for in it.

    `text` has its characters composed; `line` is folded besides, unless case matters, with single spaces for white
    space; `words` are those of the line, without those of scripts that write them together.
    """

    text: str
    line: str
    words: frozenset[str]


def view_of(text: str, *, case_sensitive: bool) -> View:
    """Return the view of a text."""
    line = _line(text, case_sensitive=case_sensitive)
    return View(unicodedata.normalize("NFC", text), line, _words(line))


class Phrase:
    """A word or phrase that is looked for, white space between its words being all the same.

    `word` is its form among a view's words where it is a single word, else None.

    A set of words says at once of nearly every phrase that it does not occur. One regular expression for a list, tried
    at each place of the text, takes 20 to 600 times as long.
    """

    def __init__(self, written: str, *, case_sensitive: bool) -> None:
        self._line = _line(written, case_sensitive=case_sensitive).strip()
        self._words = _words(self._line)
        self.word = self._line if self._words == {self._line} else None

    def occurs(self, view: View) -> bool:
        """Tell whether it occurs in a text."""
        if not self._words <= view.words:
            return False
        start = view.line.find(self._line)
        while start >= 0:
            if self._stands_alone(view.line, start):
                return True
            start = view.line.find(self._line, start + 1)
        return False

    def _stands_alone(self, line: str, start: int) -> bool:
        # A boundary is wanted only at an end that is a letter: `c++` may be followed by anything.
        end = start + len(self._line)
        before = start > 0 and _joins(line[start - 1]) and _joins(self._line[0])
        after = end < len(line) and _joins(line[end]) and _joins(self._line[-1])
        return not (before or after)


def _line(text: str, *, case_sensitive: bool) -> str:
    composed = unicodedata.normalize("NFC", text)
    return " ".join((composed if case_sensitive else composed.casefold()).split())


def _words(line: str) -> frozenset[str]:
    words = set()
    for piece in set(_PIECE.findall(line)):
        if piece.isascii() or (piece.isalnum() and max(piece) < _ALL_SPACED_BEFORE):
            words.add(piece)
        else:
            words.update("".join(character if _joins(character) else " " for character in piece).split())
    return frozenset(words)


def _joins(character: str) -> bool:
    """Tell whether a character is part of a word: a letter or digit, or a mark on one, of a script with spaces."""
    if not (character.isalnum() or character in "_\u200c\u200d" or unicodedata.category(character) in ("Mn", "Mc")):
        return False
    return _UNSPACED.match(character) is None
