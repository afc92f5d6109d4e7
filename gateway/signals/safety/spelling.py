"""Sees through how a text is spelled: invisible and look-alike characters, leetspeak, spaced letters, encodings."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from urllib.parse import unquote

#: Codes of the invisible tag characters, which mirror ASCII.
TAG_BASE, TAG_END = 0xE0000, 0xE007F
#: A stretch that may be base64 or hexadecimal: shorter ones are words and identifiers.
ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2}[\s:]?){12,}")
PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}){4,}")
#: Letters set apart, as in i-g-n-o-r-e, over several words; two separators or more stand between words.
SPACED = re.compile(r"(?<!\w)(?:\w[ .\-_*|/\\+]{1,3}){5,}\w(?!\w)")
GAP = re.compile(r"[ .\-_*|/\\+]{2,}")
#: A word with the signs that stand for letters, and a place in one where a digit or sign stands beside a letter: one
#: pattern for both would try a long word anew from each of its letters.
WORD = re.compile(r"[\w@$!|+]+")
MIXED = re.compile(r"[a-z][0134578@$!|+]|[0134578@$!|+][a-z]")
#: What stands above or below Latin, Greek and Cyrillic letters.
MARKS = re.compile(r"[\u0300-\u036f]")
#: At most so many encoded stretches are read.
MAX_PIECES = 4

_SELECTORS = (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
_INVISIBLE = dict.fromkeys(
    [
        0xAD,
        0x34F,
        0x61C,
        0x180E,
        0xFEFF,
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *_SELECTORS,
    ],
)
_TAGS = {code: chr(code - TAG_BASE) if code > TAG_BASE + 31 else None for code in range(TAG_BASE, TAG_END + 1)}
_LEET = str.maketrans("0134578@$!|+", "oieastbasiit")
_ALIKE = str.maketrans(
    "аеорсухкмтнвіјѕԁɡӏԛԝһαβεικνορτυχωɑ‘’“”ı",  # noqa: RUF001 - look-alikes are the point
    "aeopcyxkmthbijsdglqwhabeikvoptuxwa''\"\"i",
)
_FOREIGN = re.compile(r"[\u0370-\u052f]")
_LATIN = re.compile(r"[a-z]")


def plain(text: str) -> str:
    """Return a text in lower case and compatibility form, less accents and what is invisible, look-alikes replaced.

    Cyrillic and Greek letters are replaced only in words that also have Latin ones. Lone surrogates are dropped.
    """
    if text.isascii():
        return text.lower()
    text = text.encode("utf-8", "ignore").decode().translate(_INVISIBLE).translate(_TAGS)
    # Accents go, as they are a disguise too; composed again, so that Korean syllables stay whole.
    apart = MARKS.sub("", unicodedata.normalize("NFKD", text)).lower()
    text = unicodedata.normalize("NFC", apart)
    return re.sub(r"\w+", _latinised, text)


def _latinised(match: re.Match[str]) -> str:
    word = match[0]
    return word.translate(_ALIKE) if _FOREIGN.search(word) and _LATIN.search(word) else word


def joined(text: str) -> str:
    """Return a plain text with letters that were set apart joined into words."""
    return SPACED.sub(lambda match: re.sub(r"[^\w\n]|_", "", GAP.sub("\n", match[0])).replace("\n", " "), text)


def unleeted(text: str) -> str:
    """Return a plain text with digits and signs inside words read as the letters that they look like."""
    return WORD.sub(lambda match: match[0].translate(_LEET) if MIXED.search(match[0]) else match[0], text)


def decoded(text: str) -> list[str]:
    """Return what is encoded in a text as base64, hexadecimal or escapes, and reads as text."""
    pieces = [found for match in ENCODED.finditer(text) if (found := _readable(_unbase64(match[0])))]
    pieces += [found for match in HEXADECIMAL.finditer(text) if (found := _readable(_unhex(match[0])))]
    if PERCENT.search(text):
        pieces.append(unquote(re.sub(r"\\x", "%", text), errors="replace"))
    return pieces[:MAX_PIECES]


def _unbase64(stretch: str) -> bytes:
    bare = stretch.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare[: len(bare) - (len(bare) % 4 == 1)] + "=" * (-len(bare) % 4))
    except binascii.Error:
        return b""


def _unhex(stretch: str) -> bytes:
    bare = re.sub(r"[\s:]", "", stretch)
    return bytes.fromhex(bare[: len(bare) // 2 * 2])


def _readable(raw: bytes) -> str:
    """Return bytes as text where they look like one: printable, and mostly letters and spaces."""
    text = raw.decode("utf-8", "ignore")
    letters = sum(sign.isalpha() or sign == " " for sign in text)
    return text if len(text) >= 8 and len(text.encode()) == len(raw) and letters >= 0.8 * len(text) else ""
