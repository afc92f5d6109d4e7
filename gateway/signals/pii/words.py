"""Words that begin with a capital, as names do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.signals.pii.lexicon import fold

if TYPE_CHECKING:
    import re

    from gateway.signals.pii.lexicon import Lexicon

_CAPITAL: Final = "A-ZÀ-ÖØ-ÞĀ-ŽȘȚΆ-ΫА-ЯЁЄІЇҐ"
_LETTER: Final = r"[^\W\d_]"
_INITIAL: Final = rf"[{_CAPITAL}]\.(?:-?[{_CAPITAL}]\.)?"
_FULL: Final = rf"[{_CAPITAL}](?:['\u2019]?{_LETTER}){{1,30}}(?:-{_LETTER}(?:['\u2019]?{_LETTER}){{0,30}}){{0,3}}"
_PARTICLE: Final = (
    "(?:de|da|do|dos|das|del|della|dello|di|du|des|la|le|las|los|van|von|der|den|het|ter|ten|zu|vom|bin|ibn|al|el|y|af)"
)
#: A word of a name, or an initial.
WORD: Final = rf"(?:{_FULL}|{_INITIAL}|[{_CAPITAL}](?!\w))"
#: Words in a row, with the particles that stand between names. Bounded, so that no text takes long.
RUN: Final = (
    rf"(?<![^\W_])(?<!['\u2019@#/\\]){WORD}(?: {{1,2}}(?:{_PARTICLE} ){{0,2}}(?:d['\u2019])?{WORD}){{0,7}}(?!\w)"
)


@dataclass(frozen=True, slots=True, repr=False)
class Word:
    """A word at `start` to `end` of the text, with what the lexicon has of it (`kinds`)."""

    text: str
    folded: str
    start: int
    end: int
    kinds: str

    @classmethod
    def of(cls, match: re.Match[str], offset: int, known: Lexicon) -> Word:
        """Return the word that an expression found, `offset` characters into the text, without the genitive."""
        text = match[0]
        if text[-2:] in {"'s", "\u2019s"}:
            text = text[:-2]
        start = offset + match.start()
        return cls(text, fold(text), start, start + len(text), known.of(text))

    @property
    def initial(self) -> bool:
        """Tell whether it is an initial."""
        return len(self.text) == 1 or "." in self.text

    @property
    def given(self) -> bool:
        """Tell whether it may be a given name."""
        return "G" in self.kinds

    @property
    def ambiguous(self) -> bool:
        """Tell whether it is as often a word, a place or a thing as a given name."""
        return "A" in self.kinds

    @property
    def strong(self) -> bool:
        """Tell whether it is a given name and little else."""
        return self.given and not self.ambiguous

    @property
    def surname(self) -> bool:
        """Tell whether it may be a surname."""
        return "S" in self.kinds

    @property
    def only_surname(self) -> bool:
        """Tell whether it is a surname, and no word."""
        return self.surname and not self.common

    @property
    def plain(self) -> bool:
        """Tell whether it is a surname that is a frequent word or a place too."""
        return "P" in self.kinds

    @property
    def common(self) -> bool:
        """Tell whether it is among the frequent English words, names among them."""
        return "W" in self.kinds

    @property
    def known(self) -> bool:
        """Tell whether the lexicon has it."""
        return bool(self.kinds)
