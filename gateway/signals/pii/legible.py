"""Makes odd characters plain before searching, and knows where each one stood."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

#: Characters that take no room: soft hyphen, zero-width space, joiners, marks of direction, byte order mark.
_INVISIBLE = "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_DOTS = "\u3002\uff0e\uff61"
#: Where the planes end in which there are digits.
_PLANES_END = 0x20000


def _replacements() -> dict[int, str]:
    """Return the plain character for each odd one: digits of all scripts, full-width Latin, dashes and spaces."""
    # All planes take 145 ms to look through, at every start; there are no digits beyond the second.
    characters = map(chr, range(0x80, _PLANES_END))
    table = {ord(char): str(unicodedata.digit(char)) for char in characters if char.isdecimal()}
    table |= {0xFEE0 + code: chr(code) for code in range(0x21, 0x7F)}
    for characters_, plain in ((_DASHES, "-"), (_SPACES, " "), (_DOTS, ".")):
        table |= {ord(char): plain for char in characters_}
    return table


_PLAIN = _replacements()
_HIDDEN = re.compile(f"[{_INVISIBLE}]")
_ODD = re.compile("[" + "".join(map(chr, _PLAIN)) + "]")


@dataclass(frozen=True, slots=True)
class Legible:
    """A text to search in. `origins[i]` is where its character `i` stood; empty where nothing was taken out."""

    text: str
    origins: tuple[int, ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch, which is not empty, stood in the text as it came."""
        return (self.origins[start], self.origins[end - 1] + 1) if self.origins else (start, end)


def legible(text: str) -> Legible:
    """Return the text with plain digits, dashes and spaces, and without characters that cannot be seen."""
    if text.isascii():
        return Legible(text)
    plain = _ODD.sub(lambda match: _PLAIN[ord(match[0])], text)
    if _HIDDEN.search(plain) is None:
        return Legible(plain)
    kept = [index for index, char in enumerate(plain) if _HIDDEN.match(char) is None]
    return Legible("".join(plain[index] for index in kept), tuple(kept))
