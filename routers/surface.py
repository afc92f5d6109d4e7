"""What a text looks like: its length, its lines, and what its characters are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from routers.types import FloatArray

#: Of a longer text, this many characters are read at either end; its length counts whole.
MAX_CHARACTERS = 4096

#: Kinds of characters of which the share is taken.
_KINDS = (
    "0123456789",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "\\",
    "$",
    "\n",
    "=",
    "(",
    ",",
    "_",
    "?",
    "{",
    ";",
    "|",
    '"',
    "-+*/^",
)
_CHOICE = re.compile(r"^\(?[A-J][.):]", re.MULTILINE)
_NUMBER = re.compile(r"\d+")
_DECIMAL = re.compile(r"\d\.\d")

_TABLE = np.full(256, len(_KINDS), np.intp)
for _kind, _members in enumerate(_KINDS):
    _TABLE[list(_members.encode())] = _kind
_TABLE[128:] = len(_KINDS) + 1
_CLASSES = len(_KINDS) + 2

#: How many numbers `surface` returns.
DIMENSIONS = _CLASSES + 10


def surface(text: str) -> FloatArray:
    """Return what a text looks like, `[DIMENSIONS]`: square roots of shares, and logarithms of lengths and counts.

    >>> bool((surface("") == 0).all()), surface("2 + 2?").shape == (DIMENSIONS,)
    (True, True)
    """
    part = text if len(text) <= 2 * MAX_CHARACTERS else text[:MAX_CHARACTERS] + text[-MAX_CHARACTERS:]
    letters = np.frombuffer(part.encode(errors="replace"), np.uint8)
    shares = np.bincount(_TABLE[letters], minlength=_CLASSES) / max(len(letters), 1)
    words, lines = part.split(), part.split("\n")
    counts = [
        len(text),
        len(words),
        len(set(words)),
        len(lines) - 1,
        len(lines[0]),
        len(lines[-1]),
        len(_CHOICE.findall(part)),
        len(_NUMBER.findall(part)),
        len(_DECIMAL.findall(part)),
        len(part) / max(len(words), 1),
    ]
    return np.concatenate([np.sqrt(shares), np.log1p(counts)]).astype(np.float32)
