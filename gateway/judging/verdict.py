"""What a judge says: a small JSON object that repeats the word of its prompt, or nothing that counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The highest grade.
BEST: Final = 10
#: Braces from which a verdict is looked for; a text with more is none.
MOST_TRIES: Final = 50
#: Characters of a judge's answer that are read, from its end: some think aloud first.
READ_CHARACTERS: Final = 8192
_WORTH: Final = {"A": 1.0, "B": 0.0, "tie": 0.5}


def read_score(text: str, nonce: str) -> float | None:
    """Return a grade in [0, 1]; None where the text is no verdict."""
    verdict = _verdict(text, nonce, "score")
    if isinstance(verdict, bool) or not isinstance(verdict, int | float) or not 0 <= verdict <= BEST:
        return None
    return verdict / BEST


def read_better(text: str, nonce: str) -> float | None:
    """Return 1 where A is better, 0 where B is, 0.5 for a tie; None where the text is no verdict."""
    verdict = _verdict(text, nonce, "better")
    return _WORTH.get(verdict) if isinstance(verdict, str) else None


def merged(first: float | None, swapped: float | None) -> float | None:
    """Return how far the first answer is preferred, after it stood first and then second; None without both verdicts.

    `swapped` is what was said of the answer that stood first then. A judge that changes its mind with the order has
    seen no difference: that is a tie.
    """
    if first is None or swapped is None:
        return None
    return first if first == 1 - swapped else 0.5


def _verdict(text: str, nonce: str, member: str) -> Any:
    """Return the member of the verdict; None where there is none, or several that differ.

    What was judged cannot contain the word of the prompt, so that a verdict which is only quoted does not count.
    """
    found = [
        one[member] for one in _objects(text[-READ_CHARACTERS:]) if one.keys() == {"id", member} and one["id"] == nonce
    ]
    return found[0] if found and all(one == found[0] and type(one) is type(found[0]) for one in found) else None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in a text."""
    decoder, at = json.JSONDecoder(), 0
    for _ in range(MOST_TRIES):
        at = text.find("{", at)
        if at < 0:
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
        else:
            yield value
