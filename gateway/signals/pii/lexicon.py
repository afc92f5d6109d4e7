"""Which words are names: given names, surnames, and words that are neither."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

LEXICON_SHA256 = "ebe0dd538313704ffa2536cdc4ecd0687a23df2c0d59fa0fba4ff2ee268eaa2e"
LISTS_SHA256 = "4c08a78ef5b78490f5a8400067cb4a0bdceca761e1ec23af3caee8c534dc82ae"
FAMOUS_SHA256 = "3ff8d0f9348362b175500c271489a26dfb941945011be83d30174f0ffc15c229"


_WITHOUT_WORDS = str.maketrans("", "", "PW")


class LexiconError(RuntimeError):
    """A file of the package is missing, or is not the one that this version was made with."""


@dataclass(frozen=True, slots=True, repr=False)
class Lexicon:
    """What each word may be, and full names that identify nobody private.

    G: a given name; A: a given name as often something else; S: a surname; P: a surname that is a plain word or a
    place; W: among the frequent English words.
    """

    kinds: Mapping[str, str]
    famous: frozenset[str]

    def of(self, word: str) -> str:
        """Return what a word may be; of a compound such as Jean-Luc, what its parts are; empty where unknown."""
        folded = fold(word)
        found = self.kinds.get(folded)
        if found is None and "-" in folded:
            parts = [self.kinds.get(part, "") for part in folded.split("-")]
            found = "".join(kind for kind in "GS" if all(kind in part for part in parts))
        # The frequent words are English: with an accent it is another one, and may well be a name.
        return (found or "") if word.isascii() else (found or "").translate(_WITHOUT_WORDS)


def fold(word: str) -> str:
    """Return a word without case and accents: how the lexicon has it."""
    if word.isascii():
        return word.lower()
    return "".join(char for char in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(char))


@cache
def lexicon() -> Lexicon:
    """Return the lexicon of the package. Raises `LexiconError` where it is damaged."""
    folder = files("gateway.signals.pii")
    lines = _verified(folder / "lexicon.txt", LEXICON_SHA256).splitlines()
    kinds = dict(line.split(" ") for line in lines)
    famous = _verified(folder / "famous.txt", FAMOUS_SHA256).splitlines()
    return Lexicon(kinds, frozenset(line for line in famous if not line.startswith("#")))


def words_of(purpose: str) -> frozenset[str]:
    """Return a list of `lists.txt`. Raises `LexiconError` where the file is damaged."""
    return _lists()[purpose]


@cache
def _lists() -> dict[str, frozenset[str]]:
    lines = _verified(files("gateway.signals.pii") / "lists.txt", LISTS_SHA256).splitlines()
    parted = (line.partition("=") for line in lines if not line.startswith("#"))
    return {purpose: frozenset(words.split("|")) for purpose, _, words in parted}


def _verified(file: Traversable, sha256: str) -> str:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise LexiconError(f"{file.name} cannot be read: {error}; install pointsman again") from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise LexiconError(f"{file.name} is damaged: its sha256 is {found}, not {sha256}; install pointsman again")
    return content.decode()
