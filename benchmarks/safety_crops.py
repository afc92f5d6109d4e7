"""Short texts cut from long ones: public attacks are long, harmless prompts short, and a classifier is to read both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

#: Where a crop may begin and end: after a sentence or a line.
BREAK = re.compile(r"[.!?\n]\s+|\n")
#: Shorter texts are not cropped; of longer ones, so much of the beginning is.
LEAST, MOST = 350, 12_000
#: A crop's characters: of a text's opening, and of a piece from elsewhere in it.
OPENING, PIECE = (100, 640), (80, 480)


def crops(plain: str, pieces: int, rng: Random) -> list[str]:
    """Return the opening of a plain text and `pieces` pieces of it, each of whole sentences where they fit."""
    if len(plain) < LEAST:
        return []
    text = plain[:MOST]
    breaks = [match.end() for match in BREAK.finditer(text)]
    starts = [place for place in (0, *breaks) if len(text) - place > PIECE[0]]
    found = [_cropped(text, 0, OPENING, breaks, rng)]
    return found + [_cropped(text, rng.choice(starts), PIECE, breaks, rng) for _ in range(pieces)]


def _cropped(text: str, start: int, size: tuple[int, int], breaks: list[int], rng: Random) -> str:
    # Never nearly all of the text, which is known whole.
    longest = min(size[1], len(text) * 4 // 5)
    ends = [place for place in breaks if size[0] <= place - start <= longest]
    return text[start : rng.choice(ends)] if ends else text[start : start + longest]
