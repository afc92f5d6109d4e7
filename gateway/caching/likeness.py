"""Tells questions apart that a sentence encoder takes for one.

What an encoder hardly sees is what an answer hangs on: a digit, a denial, a name, which of two things comes first. So
nearness proposes and wording disposes. Each check errs towards "different": that costs an answer that is made anew,
where the other mistake gives a wrong one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

from gateway.caching._words import CONTRASTS, DENIALS, QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.caching.wording import Wording

#: How far two questions' words may differ: idle ones only, or further as long as no check speaks against it.
Freedom = Literal["same", "free"]
#: Words that say something, of which a question needs some: of shorter ones too little is known.
FEWEST_WORDS: Final = 2


def alike(one: Wording, other: Wording, freedom: Freedom) -> bool:
    """Tell whether nothing in two questions' words says that they ask for different things."""
    if min(len(one.words), len(other.words)) < FEWEST_WORDS:
        return False
    return one.same(other) or (freedom == "free" and difference(one, other) is None)


def difference(one: Wording, other: Wording) -> str | None:
    """Return what tells two questions apart; None where nothing does.

    One may have words that the other lacks, if they are none that decide; it may not have a word in another's place.
    """
    mine, theirs = _beyond(one.words, other.words), _beyond(other.words, one.words)
    further = mine + theirs
    checks = (
        ("signs", one.signs == other.signs and not one.literal and not other.literal),
        ("numbers and identifiers", not any(map(_is_exact, further))),
        ("names", (one.names | other.names).isdisjoint(further)),
        ("deciding words", not any(map(_decides, further))),
        ("a word for another", not (mine and theirs)),
        ("order", _in_order(one.words, other.words) or _in_order(other.words, one.words)),
    )
    return next((name for name, holds in checks if not holds), None)


def _beyond(words: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return the words that others lack, or have less often."""
    return list((Counter(words) - Counter(others)).elements())


def _in_order(words: Sequence[str], within: Sequence[str]) -> bool:
    """Tell whether words occur in this order within others."""
    rest = iter(within)
    return all(word in rest for word in words)


def _is_exact(word: str) -> bool:
    """Tell whether a word means just itself: it is one letter, has a digit, or joins parts as identifiers do."""
    return len(word) == 1 or any(sign.isdigit() or sign in "_./@:" for sign in word)


def _decides(word: str) -> bool:
    return word.endswith("n't") or word in DENIALS or word in QUANTITIES or word in CONTRASTS or word == "whether"
