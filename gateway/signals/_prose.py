"""What of a text is prose: code, addresses, numbers and quotations are no evidence of its language."""

from __future__ import annotations

import re
import unicodedata

#: Of a longer text, half of this from its beginning and half from its end.
MAX_CHARACTERS = 1024
FENCE = "```"
#: How far before the end of a long text an opening fence is noticed.
FENCES_WITHIN = 100_000
#: This many letters are left when quotations are taken away, or the quotations are read too.
LETTERS_BESIDE_QUOTES = 8

_FENCED = re.compile(rf"{FENCE}.*?(?:{FENCE}|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_ADDRESS = re.compile(
    r"""`[^`\n]*`                                        # inline code
    | </?[A-Za-z][^<>\n]{0,200}>                         # tags
    | (?<![A-Za-z])[A-Za-z][A-Za-z0-9+.-]{1,15}://[!-~]+  # addresses with a scheme
    | (?<![A-Za-z])www\.[!-~]+
    | (?<![!-~])[!-?A-~]{0,64}@[!-?A-~]+                  # e-mail, and names with @
    """,
    re.VERBOSE,
)
#: Within one word of a text.
_IDENTIFIER = re.compile(
    r"""[!-.0-<>-\[\]^`-~]*[\\/_=][!-~]*  # paths, names with underscores, assignments
    | [A-Za-z]+(?:\.[A-Za-z]+)+           # names with dots: files, hosts, attributes
    | [A-Za-z]+\([^()]*\)?                # calls
    | [A-Za-z]*\d[A-Za-z\d]*              # numbers, and words with digits
    | (?<![A-Za-z])[a-z]+[A-Z][A-Za-z]*   # camelCase
    """,
    re.VERBOSE,
)
_QUOTED = re.compile(
    r"\u201c[^\u201d\n]*\u201d|\u201e[^\u201c\u201d\n]*[\u201c\u201d]|«[^»\n]*»|「[^」\n]*」|『[^』\n]*』"
    r"|\"[^\"\n]*\"|(?<!\w)'[^'\n]*'(?!\w)|\u2018[^\u2019\n]*\u2019(?!\w)"
)
_COMMENT = re.compile(r"\s*(?:#|//|--|/\*|\*)")
_SYMBOL = re.compile(r"[{}()\[\]<>=;_/\\|&*+$^~]")
#: A line with this share of symbols is code; prose has a pair of brackets at most.
_CODE_SHARE = 0.12
#: Punctuation around a word.
_AROUND = ".,;:!?\"'()"
_MARKS = re.compile(r"[^\w\s'\u2019\-]+")


def prose(text: str) -> tuple[str, bool]:
    """Return a text's prose in lower case, on one line, and whether the text was cut to `MAX_CHARACTERS`.

    A cut in the middle of a fenced block leaves none of the block's rest. What is left may be empty.
    """
    pieces, cut = _ends(text)
    read = " \n".join(_FENCED.sub(" ", piece) for piece in pieces).encode(errors="ignore").decode()
    if not read.isascii():
        read = unicodedata.normalize("NFKC", read)
    lines = _ADDRESS.sub(" ", read).splitlines()
    words = "\n".join(_without_identifiers(line) for line in _without_code(lines))
    outside = _QUOTED.sub(" ", words)
    if sum(map(str.isalpha, outside)) >= LETTERS_BESIDE_QUOTES:
        words = outside
    return " ".join(_cleaned(words).lower().split()), cut


def _ends(text: str) -> tuple[list[str], bool]:
    if len(text) <= MAX_CHARACTERS:
        return [text], False
    half = MAX_CHARACTERS // 2
    inside = text.count(FENCE, max(0, len(text) - FENCES_WITHIN), len(text) - half) % 2
    return [text[:half], FENCE * inside + text[-half:]], True


def _without_code(lines: list[str]) -> list[str]:
    """Return the lines that are not code; where some are, comments are left out as well."""
    left = [line for line in lines if not _is_code(line)]
    return left if len(left) == len(lines) else [line for line in left if not _COMMENT.match(line)]


def _without_identifiers(line: str) -> str:
    words = (word if _is_plain(word.strip(_AROUND)) else _IDENTIFIER.sub(" ", word) for word in line.split())
    return " ".join(words)


def _is_plain(word: str) -> bool:
    return word.isalpha() and (word[1:].islower() or word.isupper() or not word.isascii())


def _is_code(line: str) -> bool:
    symbols = len(_SYMBOL.findall(line))
    return symbols > 2 and symbols > _CODE_SHARE * len(line.strip())


def _cleaned(text: str) -> str:
    """Return a text without punctuation; vowel signs, which many scripts have, are kept."""
    return _MARKS.sub(lambda marks: "".join(_kept(mark) for mark in marks.group()), text)


def _kept(mark: str) -> str:
    return mark if unicodedata.category(mark) in {"Mn", "Mc", "Cf"} else " "
